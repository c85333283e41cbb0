"""Events that delivery holds back: other rules of consent than today's let them through.

They stay pending until their hour is made again, so that a changed setting protects them too.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

import duckdb

from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.plurals import agreeing, quantity


class Held(Enum):
    """Fate of the events of an hour that are held back."""

    UNTIL_MADE_AGAIN = "until made again"
    FOR_GOOD = "for good"
    """The hour was pruned, so that it cannot be made again."""

    def explain(self, events: int, hours: Sequence[datetime]) -> str:
        """Explain why events are not sent, and what to do.

        Args:
            events: the number of events that are held back.
            hours: their hours, in order.
        """
        first, last = format_hour(hours[0]), format_hour(hours[-1])
        where = first if first == last else f"{len(hours)} hours, {first} to {last},"
        why = (
            f"{quantity(events, 'event')} of {where} {agreeing(events, 'is', 'are')} held back: what decides consent "
            f"has changed since {agreeing(len(hours), 'that hour was', 'these hours were')} made: `unknown_consent`, "
            "`identity_window_days` or `max_devices_per_person` in workspaces.toml, consent_purposes.csv, "
            "placeholder_ids.csv, or the code."
        )
        if self is Held.FOR_GOOD:
            return f"{why} Events of pruned hours are never sent, since these hours cannot be made again."
        return (
            f"{why} Make {agreeing(len(hours), 'it', 'them')} again, and events that consent allows are sent: "
            f"`snap-pipeline materialize --from {first} --to {last}`."
        )


def held_events(
    lake: Lake,
    mappings: Mappings,
    connection: duckdb.DuckDBPyConnection,
    destination: Destination,
    hour: datetime,
    payloads: str,
) -> Held | None:
    """Return the fate of an hour's events where they are held back; None where they may be sent.

    Args:
        lake: tells whether the hour was pruned.
        mappings: give today's recipes.
        connection: to the lake.
        destination: the one whose workspace is asked about.
        hour: the hour.
        payloads: the key of the very object of payloads that would be sent.
    """
    consents = lake.storage.notes(connection, payloads).get("consent_recipes", {})
    if mappings.recipes.is_consent_current(destination.workspace, consents):
        return None
    return Held.FOR_GOOD if lake.is_pruned(hour) else Held.UNTIL_MADE_AGAIN
