"""Which hours need a run though no schedule will come for them again: files not read, conversions not delivered.

Here is what is missing; when to ask for it, and how often, is decided in `automation.py`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from snap_pipeline.delivery.standing import Standings
from snap_pipeline.delivery.states import AgeLimits, owes
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.pipeline import Pipeline


@dataclass(frozen=True)
class Need:
    """Why an hour needs a run.

    Attributes:
        digest: of the reason; another one means that something has changed since it was asked for.
        unread: it has files that were not read, so that all of its assets are due; otherwise delivery alone is.
    """

    digest: str
    unread: bool


def needs(pipeline: Pipeline, real_now: datetime, *, running_hour: bool = False) -> Mapping[datetime, Need]:
    """Every hour that needs a run now. The running hour is left out unless asked for.

    Args:
        pipeline: whose landing zone, lake and destinations are looked at.
        real_now: the clock of back-offs and of Snap's deduplication window.
        running_hour: whether the hour that is still filling is looked at as well.
    """
    last = pipeline.settings.running_hour - (timedelta(0) if running_hour else ONE_HOUR)
    found = {hour: Need(_digest(why), unread=False) for hour, why in owed_hours(pipeline, last, real_now).items()}
    return found | {hour: Need(_digest(why), unread=True) for hour, why in unread_hours(pipeline, last).items()}


def unread_hours(pipeline: Pipeline, last: datetime) -> Mapping[datetime, object]:
    """Hours whose folders show another listing than the one that `raw_events` read, each with what they show.

    With them come the hours whose payloads are not of that reading, because a step in between failed. Times of landed
    files are not compared: a file that lands while its hour is read, or that was copied in with an old modification
    time, would be lost by that.
    """
    first, lake = pipeline.settings.first_hour, pipeline.lake
    landed = pipeline.landing.hours().difference(lake.pruned_hours())
    hours = sorted(hour for hour in landed if first <= hour <= last)
    read = pipeline.summaries.of(hours)
    unread: dict[datetime, object] = {}
    for hour in hours:
        listing = pipeline.landing.listing(hour)
        # An emptied folder keeps its partition, so there is nothing to read.
        if listing and listing != read[hour].listing:
            unread[hour] = listing
        elif listing and not read[hour].carried_through:
            unread[hour] = (listing, "payloads")
    return unread


def owed_hours(pipeline: Pipeline, last: datetime, real_now: datetime) -> Mapping[datetime, object]:
    """Hours that still owe a live destination something, each with the destinations and what their runs depend on.

    A destination that was stopped is left out until it may be tried again. An hour that no run has looked at since
    its payloads were made counts as owed: the destination was paused then, or is new.
    """
    live = [
        each
        for each in pipeline.destinations.list()
        if each.state == "live" and (each.retry_at is None or each.retry_at <= real_now)
    ]
    standings = Standings(pipeline.lake, AgeLimits())
    by_workspace: dict[str, list[Destination]] = defaultdict(list)
    for each in live:
        by_workspace[each.workspace].append(each)
    hours = pipeline.lake.hours("conversion_payloads") if live else []
    hours = [hour for hour in hours if pipeline.settings.first_hour <= hour <= last]
    owed: dict[datetime, object] = {}
    for hour, summary in pipeline.summaries.of(hours).items():
        why = [
            _circumstances(each)
            for workspace in sorted(summary.conversions.keys() & by_workspace.keys())
            for each in by_workspace[workspace]
            if owes(each, hour) and _is_owed(standings, each, hour, real_now)
        ]
        if why:
            owed[hour] = why
    return owed


def by_urgency(ranges: Iterable[tuple[datetime, datetime]], now: datetime) -> list[tuple[datetime, datetime]]:
    """Ranges of hours, the soonest to expire first.

    An hour's events become too old for Snap at two moments, those of the web and all the others. The next one counts;
    what is past both can only be told to be late, and comes last.
    """

    limits = AgeLimits()

    def expiry(each: tuple[datetime, datetime]) -> tuple[bool, datetime]:
        moments = sorted(each[0] + timedelta(days=days) for days in (limits.web_days, limits.offline_days))
        return moments[-1] <= now, next((moment for moment in moments if moment > now), each[0])

    return sorted(ranges, key=expiry)


def contiguous(hours: Iterable[datetime], longest: int) -> list[tuple[datetime, datetime]]:
    """Ranges of at most `longest` hours, each without a gap: one run can take each."""
    ranges: list[tuple[datetime, datetime]] = []
    for hour in sorted(hours):
        if ranges and hour - ranges[-1][1] == ONE_HOUR and hour - ranges[-1][0] < longest * ONE_HOUR:
            ranges[-1] = (ranges[-1][0], hour)
        else:
            ranges.append((hour, hour))
    return ranges


def _is_owed(standings: Standings, destination: Destination, hour: datetime, real_now: datetime) -> bool:
    standing = standings.remembered(destination, hour)
    return standing is None or standing.is_owed(real_now)


def _circumstances(destination: Destination) -> tuple[object, ...]:
    """What makes another try worth while at once: a new token, other settings, a stop that was waited out or lifted."""
    return (
        destination.id,
        destination.api_version,
        destination.snap_app_id,
        destination.base_url,
        destination.token_set_at,
        destination.retry_at,
    )


def _digest(why: object) -> str:
    return hashlib.sha256(repr(why).encode()).hexdigest()[:16]
