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
        """Parse the hour; anything else is bad usage."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_hour(str(value))
        except HourError as error:
            self.fail(str(error), param, ctx)


HOUR = HourType()


def open_pipeline() -> Pipeline:
    """Open the pipeline of this environment, and delete the abandoned drafts of killed processes."""
    pipeline = Pipeline(load_settings())
    pipeline.delete_abandoned_drafts()
    return pipeline


def check_workspace(pipeline: Pipeline, workspace: str) -> None:
    """Check that a workspace is configured; otherwise it is bad usage."""
    if workspace not in pipeline.workspaces:
        known = ", ".join(pipeline.workspaces)
        raise click.BadParameter(f"there is no workspace {workspace!r}. Configured: {known}.", param_hint="--workspace")


def check_range(first: datetime, last: datetime) -> None:
    """Check that a range does not end before it begins; otherwise it is bad usage."""
    if last < first:
        raise click.UsageError(f"--to, {format_hour(last)}, lies before --from, {format_hour(first)}.")
