"""Parameter types and options that several commands share."""

import re
from datetime import datetime, timedelta

import click

from snap_pipeline.hours import HourError, floor_hour, format_hour, parse_hour
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings, load_settings


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


class PeriodType(click.ParamType[timedelta]):
    """A period on the command line, such as 24h or 7d."""

    name = "period"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse the period; anything else is bad usage."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,3})([hd])", str(value).strip().lower(), re.ASCII)
        if not match:
            self.fail(f"{value!r} is not a period. Write it in hours or days, like 24h or 7d.", param, ctx)
        number, unit = int(match[1]), match[2]
        return timedelta(days=number) if unit == "d" else timedelta(hours=number)


HOUR = HourType()
PERIOD = PeriodType()
LAST_HELP = "All hours of this period up to now, the running one included, such as 24h or 7d."


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


def choose_range(
    settings: Settings, first: datetime | None, last: datetime | None, period: timedelta | None
) -> tuple[datetime | None, datetime | None]:
    """Return the hours of --from and --to, or of --last; both together are bad usage."""
    if period is None:
        return first, last
    if first or last:
        raise click.UsageError("Give --last, or --from and --to, but not both.")
    return max(floor_hour(settings.now() - period), settings.first_hour), settings.running_hour


def check_range(first: datetime, last: datetime) -> None:
    """Check that a range does not end before it begins; otherwise it is bad usage."""
    if last < first:
        raise click.UsageError(f"--to, {format_hour(last)}, lies before --from, {format_hour(first)}.")
