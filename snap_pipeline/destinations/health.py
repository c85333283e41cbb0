"""The health of a destination: its badge, since when, and the remedy.

The numbers come from the lake (`delivery/destination_backlog.py`), everything else from the destination's own row.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from snap_pipeline.capi.answers import CATALOGUE, Category, with_destination
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.plurals import quantity


class Badge(StrEnum):
    """The badges of destinations, in order of precedence: the first that applies is shown."""

    PAUSED = "paused"
    UNAUTHORIZED = "unauthorized"
    FAILING = "failing"
    BEHIND = "behind"
    LIVE = "live"


@dataclass(frozen=True)
class DestinationBacklog:
    """The backlog of a destination, and its latency.

    Attributes:
        pending: undelivered events of the hours in its scope.
        in_doubt: events that it may have received.
        hours: the number of hours with either.
        oldest: the key of the first closed hour with either.
        latency_ms: the average of its latest requests; None if there are none.
    """

    pending: int = 0
    in_doubt: int = 0
    hours: int = 0
    oldest: str | None = None
    latency_ms: float | None = None


@dataclass(frozen=True)
class Health:
    """The badge of a destination, since when, and the remedy.

    Attributes:
        since: None if it is not known.
    """

    badge: Badge
    since: datetime | None
    what_to_do: str


UNAUTHORIZED = (Category.UNAUTHORIZED, Category.FORBIDDEN)


def health(destination: Destination, backlog: DestinationBacklog) -> Health:
    """Rate a destination. A stop takes precedence over a backlog, because it is its cause."""
    if destination.state == "paused":
        kept = f"Pending events are kept ({backlog.pending:,}). " if backlog.pending else ""
        resume = f"{kept}Nothing is sent until `snap-pipeline destination resume {shlex.quote(destination.name)}`."
        return Health(Badge.PAUSED, destination.state_since, resume)
    if destination.stopped_at is not None:
        category = Category(destination.stop_category) if destination.stop_category else Category.NO_ANSWER
        badge = Badge.UNAUTHORIZED if category in UNAUTHORIZED else Badge.FAILING
        remedy = with_destination(CATALOGUE[category].remedy, destination.name)
        return Health(badge, destination.stopped_at, remedy)
    if backlog.oldest is not None:
        return Health(Badge.BEHIND, parse_hour(backlog.oldest) + ONE_HOUR, _backlog_remedy(backlog))
    return Health(Badge.LIVE, destination.state_since, "Nothing to do.")


def explain_waiting(destination: Destination, backlog: DestinationBacklog, *, up_to_hours: int) -> str | None:
    """Say how much waits for a destination that is paused or was stopped, why, and until when; None if nothing does.

    Args:
        destination: the receiver.
        backlog: of it.
        up_to_hours: the hours that were counted at most; if that many wait, there may be more.
    """
    events = backlog.pending + backlog.in_doubt
    found = health(destination, backlog)
    if not events or found.badge in (Badge.BEHIND, Badge.LIVE):
        return None
    least = "at least " if backlog.hours >= up_to_hours else ""
    waiting = f"{least}{quantity(events, 'event')} of {quantity(backlog.hours, 'hour')}"
    retry = destination.retry_at if found.badge is not Badge.PAUSED else None
    told = f"{destination.name} is {found.badge}; not delivered: {waiting}. {found.what_to_do}"
    return told + (f" The next attempt is after {retry:%Y-%m-%d %H:%M} UTC." if retry else "")


def _backlog_remedy(backlog: DestinationBacklog) -> str:
    in_doubt = f", {backlog.in_doubt:,} in doubt" if backlog.in_doubt else ""
    return (
        f"Events not delivered: {backlog.pending:,} pending{in_doubt}, the oldest of {backlog.oldest}. The sensor "
        "`reconcile` retries their hours if it is on; otherwise run `snap-pipeline materialize` from that hour on."
    )
