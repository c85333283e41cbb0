"""Results of runs and connection tests at a destination: last success, error and test, and a stop with its retry.

They are columns of the destination's row. `health.py` reads them; a change by the user clears a stop (`store.py`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from snap_pipeline.backoff import BETWEEN_RUNS
from snap_pipeline.capi.answers import with_destination
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS, UtcDateTime

NOT_STOPPED: dict[str, Any] = {
    "stopped_at": None,
    "stop_count": 0,
    "stop_category": None,
    "stop_message": None,
    "retry_at": None,
}
"""The columns of a stop, in a destination that has none."""
MESSAGE_CHARACTERS = 1_000


class RunResults:
    """The record of what came of runs and connection tests.

    Args:
        database: the state database, migrated.
        now: real time, aware.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database, self._now = database, now

    def record_stop(self, destination: Destination, category: str, message: str) -> datetime:
        """Record that a run was stopped, and return when to retry: after 5, 10, 20, 40, then every 60 minutes.

        An hour of which no request got through counts as a stop. Further stops before that moment, by runs of other
        hours, do not delay it more.

        Args:
            destination: the one that was stopped.
            category: of the answer.
            message: the failure and its remedy, without the token.
        """
        now = self._now()
        text = with_destination(message, destination.name)[:MESSAGE_CHARACTERS]
        values = {"stop_category": category, "stop_message": text, "last_error": text, "last_error_at": now}
        before = sa.select(DESTINATIONS.c.stop_count, DESTINATIONS.c.retry_at).where(*row_of(destination))
        with self._database.transaction(destination.workspace) as connection:
            count: int
            retry_at: datetime | None
            count, retry_at = connection.execute(before.with_for_update()).tuples().one()
            if retry_at is None or retry_at <= now:
                count += 1
                retry_at = now + BETWEEN_RUNS.delay(count)
            values |= {"stop_count": count, "retry_at": retry_at}
            values |= {"stopped_at": sa.func.coalesce(DESTINATIONS.c.stopped_at, sa.literal(now, UtcDateTime))}
            connection.execute(sa.update(DESTINATIONS).where(*row_of(destination)).values(values))
        return retry_at

    def record_success(self, destination: Destination) -> None:
        """Record that a run went through, and clear a stop."""
        self._update(destination, {"last_success_at": self._now()} | NOT_STOPPED)

    def record_test(self, destination: Destination, result: str) -> None:
        """Record the result of a connection test.

        Args:
            destination: the one that was tested.
            result: in words, without the token.
        """
        self._update(destination, {"tested_at": self._now(), "test_result": result[:MESSAGE_CHARACTERS]})

    def _update(self, destination: Destination, values: dict[str, Any]) -> None:
        with self._database.transaction(destination.workspace) as connection:
            connection.execute(
                sa.update(DESTINATIONS).where(*row_of(destination)).values(**values, updated_at=self._now())
            )


def row_of(destination: Destination) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that select a destination's row."""
    return DESTINATIONS.c.id == destination.id, DESTINATIONS.c.workspace == destination.workspace
