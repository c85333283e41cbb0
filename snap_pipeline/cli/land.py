"""`snap-pipeline land`: puts events from files into the landing zone."""

from datetime import datetime
from pathlib import Path

import click

from snap_pipeline.cli.options import HOUR, check_workspace, open_pipeline
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.upload import Upload


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
    """Put events from NDJSON, NDJSON.gz, JSON arrays or CSV into the folders of their hours."""
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
    for file in files:
        try:
            landed = upload.land(file)
        except PipelineError as error:
            failed = True
            click.echo(f"Error: {error}", err=True)
            continue
        hours = sorted(landed.hours)
        span = f"{format_hour(hours[0])} to {format_hour(hours[-1])}" if hours else "no hour"
        note = f"; {landed.unreadable} cannot be read and will be quarantined" if landed.unreadable else ""
        click.echo(f"{file.name}: {landed.lines} lines landed in {len(hours)} hours ({span}){note}.")
    if failed:
        raise SystemExit(1)
