"""`materialize`, `insights` and `dev`: run Dagster from the command line, on the home's own instance."""

import io
import os
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import dagster as dg

from snap_pipeline.cli.accounting import UNDELIVERED, print_accounting
from snap_pipeline.cli.insights import print_insights
from snap_pipeline.cli.options import HOUR, check_range
from snap_pipeline.definitions import build_definitions
from snap_pipeline.errors import SettingsError
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.orchestration.assets.hourly_step import HOURS_A_RUN
from snap_pipeline.orchestration.jobs import HOURLY_JOB, INSIGHTS_JOB
from snap_pipeline.orchestration.run_monitoring import LONGEST_RUN, MonitoredRunLauncher, execute_with_lease
from snap_pipeline.orchestration.runs import range_tags, reason_tags
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.project_files import WORKSPACE
from snap_pipeline.settings import Settings, load_settings

INSTANCE_SETTINGS = f"""\
telemetry:
  enabled: false
run_launcher:
  module: {MonitoredRunLauncher.__module__}
  class: MonitoredRunLauncher
run_monitoring:
  enabled: true
  poll_interval_seconds: 15
  max_runtime_seconds: {LONGEST_RUN.total_seconds():.0f}
  free_slots_after_run_end_seconds: 60
"""
"""The dagster.yaml of a new instance; deploy/dagster.yaml explains each setting."""
EARLIER_MODULE = "snap_pipeline.run_monitoring"
"""The launcher's module in instances that earlier versions made; Dagster would not find it any more."""
QUIET_RUN_CONFIG: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run config that silences Dagster's console log; events are in its instance, and `print_failures` shows errors."""


@click.command()
@click.option("--from", "first", type=HOUR, required=True, help="The first hour, such as 2026-11-23T14.")
@click.option("--to", "last", type=HOUR, required=True, help="The last hour, included.")
@click.option(
    "--resend-in-doubt",
    is_flag=True,
    help="Resend events that are in doubt for over 48 hours; Snap may count some twice.",
)
@click.option("--retry-rejected", is_flag=True, help="Resend events that Snap rejected.")
@click.option(
    "--validate", "validate_only", is_flag=True, help="Only send to Snap's validate endpoint, which counts nothing."
)
def materialize(first: datetime, last: datetime, **options: bool) -> None:
    """Run the hourly job over a range of hours, in this process.

    The exit status is 0 only if every live destination is complete: nothing pending, nothing in doubt. With --validate,
    only if Snap would accept everything that is pending.
    """
    check_range(first, last)
    settings = load_settings()
    check_partitions(settings, first, last)
    definitions = build_definitions(settings)
    job = definitions.resolve_job_def(HOURLY_JOB)
    run_config = QUIET_RUN_CONFIG | {"ops": {"dispatched_batches": {"config": options}}}
    failed = False
    with open_instance(settings) as instance:
        start = first
        while start <= last:
            end = min(start + (HOURS_A_RUN - 1) * ONE_HOUR, last)
            click.echo(f"Materializing {format_hour(start)} to {format_hour(end)} …")
            tags = range_tags(start, end) | reason_tags(start, end, "snap-pipeline materialize")
            result = execute_with_lease(job, instance, tags=tags, run_config=run_config)
            failed |= not result.success
            print_failures(result)
            start = end + ONE_HOUR
    complete = print_completeness(Pipeline(settings), first, last)
    if options["validate_only"] and not failed:
        click.echo("Snap would accept everything that is pending. Nothing was counted.")
    sys.exit(0 if not failed and (complete or options["validate_only"]) else 1)


@click.command()
def insights() -> None:
    """Rebuild the marts (match quality, destination health, accounting) and print scores and coaching."""
    settings = load_settings()
    job = build_definitions(settings).resolve_job_def(INSIGHTS_JOB)
    # dbt prints a line for each test; failures are in the result.
    with open_instance(settings) as instance, redirect_stdout(io.StringIO()):
        result = execute_with_lease(job, instance, run_config=QUIET_RUN_CONFIG)
    print_failures(result)
    if not result.success:
        sys.exit(1)
    print_insights(Pipeline(settings).lake)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web server.")
def dev(port: int) -> None:
    """Open the Dagster UI on this home's data."""
    settings = load_settings()
    prepare_instance(settings)
    click.echo(f"The Dagster UI will be at http://127.0.0.1:{port}; stop it with Ctrl-C.")
    command = [str(Path(sys.executable).with_name("dg")), "dev", "--port", str(port), "--workspace", str(WORKSPACE)]
    os.execv(command[0], command)  # noqa: S606 - becomes dg itself, so that Ctrl-C reaches it


def prepare_instance(settings: Settings) -> None:
    """Create the folder of the Dagster instance, and set DAGSTER_HOME for this process and its children.

    Raises:
        SettingsError: it is not a folder, or not writable.
    """
    file = settings.dagster_home / "dagster.yaml"
    try:
        settings.dagster_home.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text(INSTANCE_SETTINGS)
        elif f"module: {EARLIER_MODULE}\n" in (text := file.read_text()):
            file.write_text(text.replace(EARLIER_MODULE, MonitoredRunLauncher.__module__))
    except OSError as error:
        raise SettingsError(
            f"The folder of the Dagster instance, {settings.dagster_home}, cannot be used: {error.strerror}. "
            "Set SNAP_PIPELINE_HOME or DAGSTER_HOME to a folder that can be written to."
        ) from error
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the Dagster instance, which the command line and `make dev` share."""
    prepare_instance(settings)
    return dg.DagsterInstance.get()


def check_partitions(settings: Settings, first: datetime, last: datetime) -> None:
    """Check that a range lies within the partitions; otherwise it is bad usage."""
    if first < settings.first_hour or last > settings.running_hour:
        raise click.UsageError(
            f"The range must lie between the first hour, {format_hour(settings.first_hour)} (SNAP_PIPELINE_START), and "
            f"the running hour, {format_hour(settings.running_hour)}."
        )


def print_failures(result: dg.JobExecutionResult) -> None:
    """Print why steps failed, with the messages for the user."""
    for event in result.filter_events(lambda event: event.is_step_failure):
        error = event.step_failure_data.error
        # Dagster's own errors wrap the step's error, whose message is for the user; its causes are not.
        while error and error.cause and str(error.cls_name).startswith("Dagster"):
            error = error.cause
        message = event.step_failure_data.user_failure_data
        text = message.description if message else error.message if error else "failed without a message"
        click.echo(f"Error: {event.step_key}: {str(text).strip()}", err=True)


def print_completeness(pipeline: Pipeline, first: datetime, last: datetime) -> bool:
    """Print the range's accounting; return True if every live destination is complete."""
    live = [each for each in pipeline.destinations.list() if each.state == "live"]
    if not live:
        click.echo(
            "Warning: no destination is live, so nothing was sent. See `snap-pipeline destination add`.",
            err=True,
        )
    entries = pipeline.accounting.entries(pipeline.accounting.hours(first, last), live)
    print_accounting(entries)
    return not any(entry.events for entry in entries if entry.entry in UNDELIVERED)
