"""Parameter types and options that several commands share."""

from datetime import datetime

import click

from snap_pipeline.hours import HourError, format_hour, parse_hour
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import load_settings


class HourType(click.ParamType[datetime]):
    """An hour on the command line, such as 2026-11-23T14."""

    name = "hour"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The hour; bad usage where the text is none."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_hour(str(value))
        except HourError as error:
            self.fail(str(error), param, ctx)


HOUR = HourType()


def open_pipeline() -> Pipeline:
    """The pipeline of this environment, rid of what killed processes left half-written."""
    pipeline = Pipeline(load_settings())
    pipeline.delete_abandoned_drafts()
    return pipeline


def check_workspace(pipeline: Pipeline, workspace: str) -> None:
    """Bad usage where a workspace is not configured."""
    if workspace not in pipeline.workspaces:
        known = ", ".join(pipeline.workspaces)
        raise click.BadParameter(f"there is no workspace {workspace!r}; known: {known}.", param_hint="--workspace")


def check_range(first: datetime, last: datetime) -> None:
    """Bad usage where a range ends before it begins."""
    if last < first:
        raise click.UsageError(f"--to, {format_hour(last)}, lies before --from, {format_hour(first)}.")
