"""`snap-pipeline land`: puts events from files into the landing zone."""

from datetime import datetime
from pathlib import Path

import click

from snap_pipeline.cli.options import HOUR, check_workspace, open_pipeline
from snap_pipeline.cli.terminal import tracked
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.encodings import UTF_8, WINDOWS_1252
from snap_pipeline.lake.table_rows import listed
from snap_pipeline.lake.upload import Landed, Upload
from snap_pipeline.plurals import quantity

ENCODING_NAMES = {WINDOWS_1252: "Windows-1252"}


@click.command()
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--workspace", default="default", show_default=True, help="The workspace of the events.")
@click.option(
    "--origin",
    type=click.Choice(["web", "mobile_app", "csv", "cod_webhook"]),
    help="The origin of events that do not name theirs.",
)
@click.option("--hour", type=HOUR, help="Land everything in this hour, not in each event's own.")
def land(files: tuple[Path, ...], workspace: str, origin: str | None, hour: datetime | None) -> None:
    """Put events from JSON in any layout, CSV or spreadsheets into the folders of their hours."""
    pipeline = open_pipeline()
    check_workspace(pipeline, workspace)
    if hour and hour < pipeline.settings.first_hour:
        raise click.BadParameter(
            f"{format_hour(hour)} lies before the first hour, {format_hour(pipeline.settings.first_hour)} "
            "(SNAP_PIPELINE_START), so its files would never be read. Give that hour or a later one, or leave out "
            "--hour: then events from before the first hour land in the running hour.",
            param_hint="--hour",
        )
    upload = Upload(
        pipeline.lake,
        pipeline.landing,
        workspace=workspace,
        origin=origin,
        hour=hour,
        first_hour=pipeline.settings.first_hour,
        running_hour=pipeline.settings.running_hour,
    )
    failed = False
    hours: set[datetime] = set()
    for file in tracked(files, "Landing files"):
        try:
            landed = upload.land(file)
        except PipelineError as error:
            failed = True
            click.echo(f"Error: {error}", err=True)
            continue
        hours |= landed.hours.keys()
        _print_landed(file.name, landed)
    if hours:
        first, last = format_hour(min(hours)), format_hour(max(hours))
        click.echo(f"Next: snap-pipeline materialize --from {first} --to {last}")
    if failed:
        raise SystemExit(1)


def _print_landed(name: str, landed: Landed) -> None:
    hours = sorted(landed.hours)
    span = f"{format_hour(hours[0])} to {format_hour(hours[-1])}" if hours else "no hour"
    notes = [
        f"; {landed.unreadable} cannot be read and will be quarantined" if landed.unreadable else "",
        f"; {landed.without_time} have no time that can be read and will be excluded" if landed.without_time else "",
        f"; {quantity(landed.nul_bytes, 'NUL byte')} left out" if landed.nul_bytes else "",
        f"; read as {ENCODING_NAMES.get(landed.encoding, landed.encoding.upper())}" if landed.encoding != UTF_8 else "",
    ]
    click.echo(
        f"{name}: {quantity(landed.lines, 'line')} landed in {quantity(len(hours), 'hour')} ({span}){''.join(notes)}."
    )
    if landed.unknown_columns:
        click.echo(
            f"Warning: {name}: no event has these columns, so they are not read: {listed(landed.unknown_columns)}. "
            "Rename them if they hold something else.",
            err=True,
        )
    if landed.unread_sheets:
        click.echo(
            f"Warning: {name}: these sheets were not landed, since they have no header of event fields: "
            f"{listed(landed.unread_sheets)}.",
            err=True,
        )
