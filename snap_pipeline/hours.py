"""Hours: the unit in which events land, are transformed and are delivered.

An hour is a UTC datetime at its first second; its key is `2026-11-23T14`, the same as the key of Dagster's partition
(`orchestration/partitions.py`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from snap_pipeline.errors import PipelineError

HOUR_FORMAT = "%Y-%m-%dT%H"
ONE_HOUR = timedelta(hours=1)


class HourError(PipelineError):
    """A text that is not an hour key."""


def parse_hour(key: str) -> datetime:
    """Parse the key of an hour, such as `2026-11-23T14`.

    Raises:
        HourError: the text is not such a key.
    """
    try:
        return datetime.strptime(key, HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise HourError(f"{key!r} is not an hour. Write it in UTC like 2026-11-23T14.") from None


def format_hour(hour: datetime) -> str:
    """Format an hour as its key."""
    return hour.astimezone(UTC).isoformat(timespec="hours")[:13]


def floor_hour(moment: datetime) -> datetime:
    """Return the hour that contains a moment."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield every hour from the first to the last, both included."""
    hour = first
    while hour <= last:
        yield hour
        hour += ONE_HOUR
