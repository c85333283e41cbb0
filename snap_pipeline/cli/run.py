"""`materialize`, `insights` and `dev`: run Dagster from the command line, on the home's own instance."""

import io
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import click
import dagster as dg

from snap_pipeline.cli.accounting import UNDELIVERED, print_accounting
from snap_pipeline.cli.calibration import print_calibration
from snap_pipeline.cli.insights import print_insights
from snap_pipeline.cli.options import HOUR, LAST_HELP, PERIOD, check_range, choose_range
from snap_pipeline.cli.stand_in import can_listen, demo_destination, running_stand_in
from snap_pipeline.cli.terminal import tracked, warn, working
from snap_pipeline.definitions import build_definitions
from snap_pipeline.errors import PipelineError, SettingsError
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between
from snap_pipeline.orchestration.assets.hourly_step import HOURS_A_RUN
from snap_pipeline.orchestration.jobs import HOURLY_JOB, INSIGHTS_JOB
from snap_pipeline.orchestration.run_monitoring import LONGEST_RUN, MonitoredRunLauncher, execute_with_lease
from snap_pipeline.orchestration.runs import range_tags, reason_tags
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.project_files import WORKSPACE
from snap_pipeline.settings import Settings, load_settings

STEPS_THAT_SEND = 4
"""The limit of the pool `snap_capi`, the only pool; also the default of `SNAP_CAPI_POOL` in deploy/prepare.sh."""
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
concurrency:
  pools:
    default_limit: {STEPS_THAT_SEND}
    granularity: op
"""
"""The dagster.yaml of a new instance; deploy/dagster.yaml explains each setting."""
EARLIER_MODULE = "snap_pipeline.run_monitoring"
"""The launcher's module in instances that earlier versions made; Dagster would not find it any more."""
QUIET_RUN_CONFIG: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run config that silences Dagster's console log; events are in its instance, and `print_failures` shows errors."""


@click.command()
@click.option("--from", "first", type=HOUR, help="The first hour, such as 2026-11-23T14.")
@click.option("--to", "last", type=HOUR, help="The last hour, included.")
@click.option("--last", "period", type=PERIOD, help=LAST_HELP)
@click.option(
    "--resend-in-doubt",
    is_flag=True,
    help="Resend events that are in doubt for over 48 hours; Snap may count some twice.",
)
@click.option("--retry-rejected", is_flag=True, help="Resend events that Snap rejected.")
@click.option(
    "--validate", "validate_only", is_flag=True, help="Only send to Snap's validate endpoint, which counts nothing."
)
def materialize(first: datetime | None, last: datetime | None, period: timedelta | None, **options: bool) -> None:
    """Run the hourly job over a range of hours, in this process. Give --from and --to, or --last.

    The exit status is 0 only if every live destination is complete: nothing pending, nothing in doubt. With --validate,
    only if Snap would accept everything that is pending.
    """
    settings = load_settings()
    first, last = choose_range(settings, first, last, period)
    if first is None or last is None:
        raise click.UsageError("Give the hours: --from HOUR --to HOUR, or --last 24h.")
    check_range(first, last)
    check_partitions(settings, first, last)
    warn(Pipeline(settings).mappings.warnings())
    definitions = build_definitions(settings)
    job = definitions.resolve_job_def(HOURLY_JOB)
    run_config = QUIET_RUN_CONFIG | {"ops": {"dispatched_batches": {"config": options}}}
    failed = False
    with open_instance(settings) as instance:
        starts = list(hours_between(first, last))[::HOURS_A_RUN]
        for start in tracked(starts, f"Runs of up to {HOURS_A_RUN} hours"):
            end = min(start + (HOURS_A_RUN - 1) * ONE_HOUR, last)
            click.echo(f"Materializing {format_hour(start)} to {format_hour(end)} …")
            tags = range_tags(start, end) | reason_tags(start, end, "snap-pipeline materialize")
            result = execute_with_lease(job, instance, tags=tags, run_config=run_config)
            failed |= not result.success
            print_failures(result)
    complete = print_completeness(Pipeline(settings), first, last)
    if options["validate_only"] and not failed:
        click.echo("Snap would accept everything that is pending. Nothing was counted.")
    sys.exit(0 if not failed and (complete or options["validate_only"]) else 1)


@click.command()
@click.option("--calibrate", is_flag=True, help="Also fit the weights to Snap's own scores, and change nothing.")
def insights(*, calibrate: bool) -> None:
    """Rebuild the marts (match quality, destination health, accounting) and print scores and coaching."""
    settings = load_settings()
    job = build_definitions(settings).resolve_job_def(INSIGHTS_JOB)
    # dbt prints a line for each test; failures are in the result.
    with open_instance(settings) as instance, working("Rebuilding the marts"), redirect_stdout(io.StringIO()):
        result = execute_with_lease(job, instance, run_config=QUIET_RUN_CONFIG)
    print_failures(result)
    if not result.success:
        sys.exit(1)
    lake = Pipeline(settings).lake
    print_insights(lake)
    if calibrate:
        print_calibration(lake)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web server.")
def dev(port: int) -> None:
    """Open the Dagster UI on this home's data, and run the demo's stand-in for Snap's servers if a demo ran here."""
    if not can_listen(port):
        raise PortTaken(f"Port {port} is used by another program. Choose another: snap-pipeline dev --port {port + 1}")
    settings = load_settings()
    prepare_instance(settings)
    destinations = Pipeline(settings).destinations
    with ExitStack() as stack:
        if demo_destination(destinations):
            url = stack.enter_context(running_stand_in(destinations))
            click.echo(f"The demo's stand-in for Snap's servers answers at {url}.")
        click.echo(f"The Dagster UI will be at http://127.0.0.1:{port}; stop it with Ctrl-C.")
        serve(str(Path(sys.executable).with_name("dg")), "dev", "--port", str(port), "--workspace", str(WORKSPACE))


class PortTaken(PipelineError):
    """A port that another program uses."""


def serve(*command: str) -> None:
    """Run a server until it ends or a signal ends it; exit with its status if it ended by itself."""
    process = subprocess.Popen(command)  # noqa: S603 - our own command
    stopped = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        if number != signal.SIGINT:  # Ctrl-C reaches the server as well, since the terminal sends it to both
            process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    status = process.wait()
    if status and not stopped:
        sys.exit(status)


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
    print_accounting(entries, [hour for hour in pipeline.backlog.unread_hours(last) if hour >= first])
    return not any(entry.events for entry in entries if entry.entry in UNDELIVERED)
