"""The rate limit of an access token, shared by all processes and hosts through the state database.

One row a token holds its next free slot (the generic cell rate algorithm without bursts): permits are spread evenly
over the minute, and a pause moves the slot, so that everything on the token waits.
"""

import hashlib
import time
from collections.abc import Callable

import sqlalchemy as sa

from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import RATE_LIMITS

SPREAD_SECONDS = 61.0
"""A minute's requests are spread over a second more, since what is sent on time may arrive up to a second late:
spread over 60, a first one that is late would put one more than the limit into a minute."""


def token_fingerprint(token: str) -> str:
    """What stands for a token in the database: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class RateLimiter:
    """Gives permits; safe to use from several threads and processes.

    Args:
        database: of the shared state; its clock counts.
        sleep: waits for so many seconds.
    """

    def __init__(self, database: Database, sleep: Callable[[float], None] = time.sleep) -> None:
        self._database, self._sleep = database, sleep

    def acquire(self, fingerprint: str, requests_per_minute: int) -> float:
        """Waits for the token's next free slot, and returns the seconds that took.

        A slot that a pause has overtaken is given up for one after the pause.

        Raises:
            StateDatabaseError: the database cannot be reached.
        """
        gap = SPREAD_SECONDS / requests_per_minute
        waited = 0.0
        while True:
            slot, now = self._reserve(fingerprint, gap)
            if slot <= now:
                return waited
            self._sleep(slot - now)
            waited += slot - now
            if self._paused_until(fingerprint) < slot + gap / 2:  # half a gap is far above a rounding error
                return waited

    def pause(self, fingerprint: str, seconds: float) -> None:
        """Makes everything on the token wait at least this long, in every process.

        Raises:
            StateDatabaseError: the database cannot be reached.
        """
        with self._database.transaction(token_fingerprint=fingerprint) as connection:
            self._add_row(connection, fingerprint)
            until = self._database.now() + seconds
            connection.execute(
                sa.update(RATE_LIMITS)
                .where(RATE_LIMITS.c.token_fingerprint == fingerprint)
                .values(
                    next_slot=_later(RATE_LIMITS.c.next_slot, until),
                    paused_until=_later(RATE_LIMITS.c.paused_until, until),
                )
            )

    def _reserve(self, fingerprint: str, gap: float) -> tuple[float, float]:
        """Takes the next slot in one statement, and returns it and the time that it is now."""
        with self._database.transaction(token_fingerprint=fingerprint) as connection:
            now = self._database.now()
            take = (
                sa.update(RATE_LIMITS)
                .where(RATE_LIMITS.c.token_fingerprint == fingerprint)
                .values(next_slot=_later(RATE_LIMITS.c.next_slot, now) + gap)
                .returning(RATE_LIMITS.c.next_slot - gap, now)
            )
            taken = connection.execute(take).one_or_none()
            if taken is None:
                self._add_row(connection, fingerprint)
                taken = connection.execute(take).one()
        return float(taken[0]), float(taken[1])

    def _add_row(self, connection: sa.Connection, fingerprint: str) -> None:
        """A token's first row, unless there is one."""
        row = {"token_fingerprint": fingerprint, "next_slot": 0.0, "paused_until": 0.0}
        connection.execute(self._database.insert(RATE_LIMITS).values(row).on_conflict_do_nothing())

    def _paused_until(self, fingerprint: str) -> float:
        query = sa.select(RATE_LIMITS.c.paused_until).where(RATE_LIMITS.c.token_fingerprint == fingerprint)
        with self._database.transaction(token_fingerprint=fingerprint, read_only=True) as connection:
            return float(connection.execute(query).scalar_one())


def _later(left: sa.ColumnElement[float], right: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    return sa.case((left > right, left), else_=right)
