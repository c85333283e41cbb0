"""How a destination is: one badge, since when, and what to do about it.

The numbers come from the lake (`delivery/destination_backlog.py`), everything else from the destination's own row.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from snap_pipeline.capi.answers import CATALOGUE, Category
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR, parse_hour


class Badge(StrEnum):
    """What a destination is, in order of precedence: the first that holds is shown."""

    PAUSED = "paused"
    UNAUTHORIZED = "unauthorized"
    FAILING = "failing"
    BEHIND = "behind"
    LIVE = "live"


@dataclass(frozen=True)
class DestinationBacklog:
    """What the lake knows of a destination.

    Attributes:
        pending: events of closed hours that it is owed and has not got.
        in_doubt: events of closed hours that it may have got.
        oldest: the key of the first hour with any of these.
        latency_ms: on average, of its latest requests; None where there are none.
    """

    pending: int = 0
    in_doubt: int = 0
    oldest: str | None = None
    latency_ms: float | None = None


@dataclass(frozen=True)
class Health:
    """A destination's badge. `since` is None where it is not known."""

    badge: Badge
    since: datetime | None
    what_to_do: str


UNAUTHORIZED = (Category.UNAUTHORIZED, Category.FORBIDDEN)


def health(destination: Destination, backlog: DestinationBacklog) -> Health:
    """The badge by its precedence. A stop outweighs what is left, because it is why."""
    if destination.state == "paused":
        left = f"What is pending is kept ({backlog.pending:,} events). " if backlog.pending else ""
        resume = f"{left}Nothing is sent until `snap-pipeline destination resume {destination.name}`."
        return Health(Badge.PAUSED, destination.state_since, resume)
    if destination.stopped_at is not None:
        category = Category(destination.stop_category) if destination.stop_category else Category.NO_ANSWER
        badge = Badge.UNAUTHORIZED if category in UNAUTHORIZED else Badge.FAILING
        return Health(badge, destination.stopped_at, CATALOGUE[category].remedy)
    if backlog.oldest is not None:
        return Health(Badge.BEHIND, parse_hour(backlog.oldest) + ONE_HOUR, _catch_up(backlog))
    return Health(Badge.LIVE, destination.state_since, "Nothing to do.")


def _catch_up(backlog: DestinationBacklog) -> str:
    in_doubt = f", {backlog.in_doubt:,} in doubt" if backlog.in_doubt else ""
    return (
        f"Events not delivered: {backlog.pending:,} pending{in_doubt}, the oldest of {backlog.oldest}. The sensor "
        "`reconcile`, where it is switched on, asks for those hours; or run `snap-pipeline materialize` from there on."
    )
