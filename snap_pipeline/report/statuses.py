"""The state of the destinations when the page is written. The marts are hours old; a refused token cannot wait."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import Badge, DestinationBacklog, Health, health
from snap_pipeline.hours import ONE_HOUR

Level = Literal["low", "fair", "good"]
"""The names under which the page colours scores and badges: red, orange and green."""
URGENCY = (Badge.UNAUTHORIZED, Badge.FAILING, Badge.BEHIND, Badge.PAUSED, Badge.LIVE)
"""The badges, the most urgent first. A pause is somebody's decision."""


@dataclass(frozen=True)
class DestinationStatus:
    """The state of a destination, as `snap-pipeline destination show` tells it.

    Attributes:
        name: of the destination.
        workspace: whose events it receives.
        health: its badge, since when, and what to do.
        waiting: the conversions of all closed hours that are pending or in doubt.
        level: red where conversions stay undelivered until somebody acts, orange where it is paused.
    """

    name: str
    workspace: str
    health: Health
    waiting: int
    level: Level

    @property
    def is_urgent(self) -> bool:
        """Tell whether the page begins with it."""
        return self.level == "low" or (self.level == "fair" and self.waiting > 0)


def read_statuses(
    destinations: Iterable[Destination], backlog_of: Callable[[Destination], DestinationBacklog], now: datetime
) -> Mapping[str, DestinationStatus]:
    """Rate the destinations, by their id and with the most urgent first.

    Args:
        destinations: to rate.
        backlog_of: reads the backlog of one.
        now: the data's clock.
    """
    statuses = {}
    for destination in destinations:
        backlog = backlog_of(destination)
        found = health(destination, backlog)
        statuses[destination.id] = DestinationStatus(
            destination.name, destination.workspace, found, backlog.pending + backlog.in_doubt, _level(found, now)
        )
    return dict(sorted(statuses.items(), key=lambda each: (URGENCY.index(each[1].health.badge), -each[1].waiting)))


def _level(found: Health, now: datetime) -> Level:
    if found.badge is Badge.PAUSED:
        return "fair"
    # The hour that closed last waits for its run, which nobody has to start.
    if found.badge is Badge.BEHIND and found.since and now - found.since < ONE_HOUR:
        return "good"
    return "good" if found.badge is Badge.LIVE else "low"
