"""The hour, the unit in which events land, are transformed and delivered, and its one spelling.

An hour is a UTC datetime at its first second; its key is `2026-11-23T14`. Dagster's partitions are made from
these in `partitions.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from snap_pipeline.errors import PipelineError

HOUR_FORMAT = "%Y-%m-%dT%H"
ONE_HOUR = timedelta(hours=1)


class HourError(PipelineError):
    """A text that is not an hour key."""


def parse_hour(key: str) -> datetime:
    """The hour that a key such as `2026-11-23T14` names, in UTC.

    Raises:
        HourError: the text is not spelled like that.
    """
    try:
        return datetime.strptime(key, HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise HourError(f"{key!r} is not an hour. Write it in UTC like 2026-11-23T14.") from None


def format_hour(hour: datetime) -> str:
    """The key of an hour."""
    return hour.astimezone(UTC).isoformat(timespec="hours")[:13]


def floor_hour(moment: datetime) -> datetime:
    """The hour that a moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every hour from the first to the last, both included."""
    hour = first
    while hour <= last:
        yield hour
        hour += ONE_HOUR
