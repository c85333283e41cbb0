"""Events that delivery holds back: other rules of consent than today's let them through.

They stay pending until their hour is made again, so that a changed setting protects them too.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from snap_pipeline.hours import format_hour


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
            f"{events:,} events of {where} are held back: what decides consent has changed since they were made: "
            "`unknown_consent` or `identity_window_days` in workspaces.toml, consent_purposes.csv, or the code."
        )
        if self is Held.FOR_GOOD:
            return f"{why} They are never sent, since pruned hours cannot be made again."
        return (
            f"{why} Make them again, and those that consent allows are sent: "
            f"`snap-pipeline materialize --from {first} --to {last}`."
        )
