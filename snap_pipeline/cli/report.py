"""`report`: one HTML page of the marts, for people who do not use Dagster."""

import os
from pathlib import Path

import click

from snap_pipeline.cli.options import check_workspace, open_pipeline
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.report.marts import read_report
from snap_pipeline.report.numbers import age
from snap_pipeline.report.page import STALE, render
from snap_pipeline.report.statuses import read_statuses


class PageNotWritten(PipelineError):
    """A failure to write the page to the given file."""


@click.command()
@click.option("--workspace", help="Report on this workspace only; default: all.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The file to write.",
)
def report(workspace: str | None, output: Path) -> None:
    """Write match quality, destination health and accounting as one page, to read anywhere and to share.

    It shows the results of the last `snap-pipeline insights`, and begins with what is urgent now.
    """
    pipeline = open_pipeline()
    if workspace is not None:
        check_workspace(pipeline, workspace)
    chosen = [workspace] if workspace is not None else list(pipeline.workspaces)
    content = read_report(pipeline.lake, chosen)
    now = pipeline.settings.now()
    statuses = read_statuses(pipeline.destinations.list(), pipeline.destination_backlog, now)
    unread = pipeline.backlog.unread_hours_of_workspaces(content.start, content.end - ONE_HOUR)
    write(output, render(content, statuses, unread, written_at=now))
    click.echo(f"{output} covers the seven days to {content.end:%Y-%m-%d %H:%M} UTC. Open it in any browser.")
    if (made := now - content.end) >= STALE:
        click.echo(f"Its numbers were made {age(made)} ago; `snap-pipeline insights` makes them again.")


def write(path: Path, text: str) -> None:
    """Replace a file atomically, so that a reader sees the old page or the new one.

    Raises:
        PageNotWritten: the folder is missing or not writable.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PageNotWritten(f"{path} cannot be written: {error.strerror}.") from None
