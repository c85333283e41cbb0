"""Which hours need a run though no schedule will come for them again.

Here is what is missing; when to ask for it, and how often, is decided in `automation.py`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import read_listing
from snap_pipeline.pipeline import Pipeline


def unread_hours(pipeline: Pipeline, *, running_hour: bool = False) -> Mapping[datetime, str]:
    """Hours whose folders show another listing than the one `raw_events` read, each with a digest of what they show.

    Times are not compared: a file that lands while its hour is read, or that was copied in with an old modification
    time, would be lost by that. The running hour is left out unless asked for.
    """
    first, running = pipeline.settings.first_hour, pipeline.settings.running_hour
    last = running if running_hour else running - ONE_HOUR
    unread = {}
    with pipeline.lake.connect() as connection:
        for hour in sorted(pipeline.landing.hours()):
            if first <= hour <= last:
                listing = pipeline.landing.listing(hour)
                known = read_listing(pipeline.lake, connection, hour)
                # An emptied folder keeps its partition, so there is nothing to read.
                if listing and listing != known:
                    unread[hour] = hashlib.sha256(repr(listing).encode()).hexdigest()[:16]
    return unread


def contiguous(hours: Iterable[datetime], longest: int) -> list[tuple[datetime, datetime]]:
    """Ranges of at most `longest` hours, each without a gap: one run can take each."""
    ranges: list[tuple[datetime, datetime]] = []
    for hour in sorted(hours):
        if ranges and hour - ranges[-1][1] == ONE_HOUR and hour - ranges[-1][0] < longest * ONE_HOUR:
            ranges[-1] = (ranges[-1][0], hour)
        else:
            ranges.append((hour, hour))
    return ranges
