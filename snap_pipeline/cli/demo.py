"""`snap-pipeline demo`: runs a user's commands on sample traffic, against the sandbox.

It is idempotent: an hour always has the same traffic, and events with a receipt are not sent again. A new home begins
with the demo's first hour, so that every hour of the asset graph is filled.
"""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

from snap_pipeline.cli.stand_in import NAME, demo_destination, running_stand_in
from snap_pipeline.cli.terminal import tracked
from snap_pipeline.demo.traffic import write_traffic
from snap_pipeline.destinations.fields import is_this_machine
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import load_settings

PIXEL_ID = "0d4e1f5a-3c52-4a8e-9b0f-5f6f6d656e01"
SNAP_APP_ID = "0d4e1f5a-3c52-4a8e-9b0f-5f6f6d656e02"
TOKEN = "sandbox-token"  # noqa: S105 - opens the sandbox and nothing else
REQUESTS_PER_MINUTE = "60000"
"""A high limit, since the sandbox needs none and somebody waits for the demo."""


class DemoRefused(PipelineError):
    """A home with real destinations, which must not get sample traffic."""


@click.command()
@click.option("--days", type=click.IntRange(1, 7), default=7, show_default=True, help="Days of sample traffic.")
def demo(days: int) -> None:
    """Run the whole pipeline on sample traffic, against the sandbox."""
    settings = load_settings()
    pipeline = Pipeline(settings)
    check_no_real_destinations(pipeline)
    last = settings.running_hour - ONE_HOUR
    settings.begin_at(last - timedelta(days=days) + ONE_HOUR)
    first = max(last - timedelta(days=days) + ONE_HOUR, settings.first_hour)
    click.echo(f"Sample traffic of a small shop lands in {settings.landing} …")
    traffic = write_traffic(settings.landing, tracked(list(hours_between(first, last)), "Hours of traffic"))
    click.echo(f"{traffic}\n")
    with running_stand_in(pipeline.destinations) as url:
        click.echo(f"A stand-in for Snap's servers answers at {url}.")
        if not demo_destination(pipeline.destinations):
            add_destination(url, first)
        run_command("materialize", "--from", format_hour(first), "--to", format_hour(last))
        run_command("insights")
        click.echo()
    click.echo(
        "Open the Dagster UI on this data with `make dev`, or `snap-pipeline dev` without a checkout. It runs the "
        "stand-in as well."
    )


def check_no_real_destinations(pipeline: Pipeline) -> None:
    """Check that no sample traffic can reach a real pixel.

    Raises:
        DemoRefused: the home has a destination that is not on this machine.
    """
    others = [each.name for each in pipeline.destinations.list() if not is_this_machine(each.base_url)]
    if others:
        raise DemoRefused(
            f"This home has real destinations ({', '.join(others)}), which must not get sample traffic. "
            "Run the demo in another home: SNAP_PIPELINE_HOME=./demo-data make demo."
        )


def add_destination(url: str, first: datetime) -> None:
    """Add the demo's destination, which receives every hour of the demo."""
    ids = ("--pixel-id", PIXEL_ID, "--snap-app-id", SNAP_APP_ID)
    place = ("--base-url", url, "--requests-per-minute", REQUESTS_PER_MINUTE)
    run_command("destination", "add", "--name", NAME, *ids, *place, "--since", format_hour(first), "--live")


def run_command(*arguments: str) -> None:
    """Run a `snap-pipeline` command as a user would; if it fails, exit with its status."""
    click.echo(f"\n$ snap-pipeline {' '.join(arguments)}")
    command = [str(Path(sys.executable).with_name("snap-pipeline")), *arguments]
    done = subprocess.run(command, env=os.environ | {"SNAP_ACCESS_TOKEN": TOKEN}, check=False)  # noqa: S603 - our own command
    if done.returncode:
        sys.exit(done.returncode)
