"""The rate limit of an access token, shared by all processes and hosts through the state database.

One row a token holds its next free slot (the generic cell rate algorithm without bursts): permits are spread evenly
over the minute, and a pause moves the slot, so that all requests with the token wait.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from snap_pipeline.capi.answers import THROTTLED_RETRIES
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import RATE_LIMITS

SPREAD_SECONDS = 61.0
"""The time over which a minute's requests are spread: a second more, since a request that is sent on time may arrive up
to a second late. Spread over 60, a late first request would put one more than the limit into Snap's minute."""
LATE_SECONDS = 0.5
"""The longest delay after which a slot may still be used; half of the second that `SPREAD_SECONDS` leaves, since the
request takes time to arrive as well."""
LATE_SLOTS = 3
"""The number of late slots in a row that are given up. A machine whose next slot is late too is too slow to exceed the
limit, and would otherwise never send."""
LONGEST_PAUSE_SECONDS = THROTTLED_RETRIES.patience_seconds + 60.0
"""The patience, and a minute in case the clock was set back since the pause began."""
MAXIMUM_QUEUE = 100
"""The number of requests that may wait for the slots of one token at the same time."""
LOGGED_WAIT_SECONDS = 10.0
"""Waits of at least this length are logged."""

log = logging.getLogger(__name__)


def token_fingerprint(token: str) -> str:
    """Return the key of a token's row: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class RateLimiter:
    """The rate limiter; safe to use from several threads and processes.

    Args:
        database: the state database, whose clock counts.
        sleep: waits for so many seconds.
        clock: real time in seconds, which goes on while this process is stopped or the machine asleep.
    """

    def __init__(
        self,
        database: Database,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._sleep, self._clock = database, sleep, clock
        self._logged_until = 0.0

    def acquire(self, fingerprint: str, requests_per_minute: int, *, name: str = "the destination") -> float:
        """Wait for the token's next free slot, and return the seconds that took.

        A slot within a pause that began meanwhile is given up for one after the pause. So is a slot that is late, since
        the process was stopped or the machine asleep: otherwise the slots of that time would all be used at once.

        Args:
            fingerprint: of the token.
            requests_per_minute: the limit.
            name: of the destination, for the log of a long wait.

        Raises:
            StateDatabaseError: the database cannot be reached.
        """
        gap = SPREAD_SECONDS / requests_per_minute
        waited, late_slots = 0.0, 0
        while True:
            slot = self._reserve(fingerprint, gap)
            if slot.wait:
                self._log_wait(slot, name)
                self._sleep(slot.wait)
                waited += slot.wait
                if self._paused_until(fingerprint) >= slot.at + gap / 2:  # half a gap is far above a rounding error
                    continue
            if self._clock() - slot.taken_at - slot.wait <= LATE_SECONDS or late_slots >= LATE_SLOTS:
                return waited
            late_slots += 1

    def pause(self, fingerprint: str, seconds: float) -> None:
        """Make all requests with the token wait at least this long, in every process, but no longer than the patience.

        Raises:
            StateDatabaseError: the database cannot be reached.
        """
        with self._database.transaction(token_fingerprint=fingerprint) as connection:
            self._add_row(connection, fingerprint)
            now = self._database.now()
            until = now + min(seconds, THROTTLED_RETRIES.patience_seconds)
            connection.execute(
                sa.update(RATE_LIMITS)
                .where(RATE_LIMITS.c.token_fingerprint == fingerprint)
                .values(
                    next_slot=_later(RATE_LIMITS.c.next_slot, until),
                    paused_until=_later(_credible(RATE_LIMITS.c.paused_until, now, LONGEST_PAUSE_SECONDS), until),
                )
            )

    def _reserve(self, fingerprint: str, gap: float) -> "_Slot":
        """Take the next slot, in one statement.

        A slot further off than any pause and queue can put it was set by a clock that was ahead, so it is now instead.
        """
        with self._database.transaction(token_fingerprint=fingerprint) as connection:
            now = self._database.now()
            next_slot = _credible(RATE_LIMITS.c.next_slot, now, LONGEST_PAUSE_SECONDS + MAXIMUM_QUEUE * gap)
            take = (
                sa.update(RATE_LIMITS)
                .where(RATE_LIMITS.c.token_fingerprint == fingerprint)
                .values(next_slot=_later(next_slot, now) + gap)
                .returning(RATE_LIMITS.c.next_slot - gap, now, RATE_LIMITS.c.paused_until)
            )
            taken_at = self._clock()
            taken = connection.execute(take).one_or_none()
            if taken is None:
                self._add_row(connection, fingerprint)
                taken = connection.execute(take).one()
        at, moment, paused_until = map(float, taken)
        return _Slot(at, max(at - moment, 0.0), taken_at, is_paused=moment < paused_until <= at + gap)

    def _add_row(self, connection: sa.Connection, fingerprint: str) -> None:
        """Insert a token's row, unless there is one."""
        row = {"token_fingerprint": fingerprint, "next_slot": 0.0, "paused_until": 0.0}
        connection.execute(self._database.insert(RATE_LIMITS).values(row).on_conflict_do_nothing())

    def _paused_until(self, fingerprint: str) -> float:
        until = _credible(RATE_LIMITS.c.paused_until, self._database.now(), LONGEST_PAUSE_SECONDS)
        query = sa.select(until).where(RATE_LIMITS.c.token_fingerprint == fingerprint)
        with self._database.transaction(token_fingerprint=fingerprint, read_only=True) as connection:
            return float(connection.execute(query).scalar_one())

    def _log_wait(self, slot: "_Slot", name: str) -> None:
        """Log a long wait, once for all threads that wait at the same time."""
        if slot.wait < LOGGED_WAIT_SECONDS or slot.at - slot.wait < self._logged_until:
            return
        self._logged_until = slot.at
        log.warning(
            "%s: the next request waits %.0f s, until %s UTC: %s.",
            name,
            slot.wait,
            datetime.fromtimestamp(slot.at, UTC).strftime("%H:%M:%S"),
            "Snap asked for a pause (HTTP 429)" if slot.is_paused else "other requests with its token go first",
        )


class _Slot(NamedTuple):
    """A permit.

    Attributes:
        at: the moment of the request, by the database's clock.
        wait: seconds until then.
        taken_at: when it was reserved, by this process's clock.
        is_paused: whether a pause delays it.
    """

    at: float
    wait: float
    taken_at: float
    is_paused: bool


def _later(left: sa.ColumnElement[float], right: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    return sa.case((left > right, left), else_=right)


def _credible(moment: sa.ColumnElement[float], now: sa.ColumnElement[float], seconds: float) -> sa.ColumnElement[float]:
    """Return a moment, or now if it lies further ahead than a clock that is right can put it."""
    return sa.case((moment > now + seconds, now), else_=moment)
