"""Leases: at most one process sends a destination's hour at a time.

A lease is a row that expires. Its holder renews it from a thread of its own; when the holder dies, the lease expires
and another process takes over. What is sent under the lease is `dispatch.py`.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from snap_pipeline.errors import PipelineError
from snap_pipeline.state.database import Database, StateDatabaseError
from snap_pipeline.state.tables import LEASES

LEASE_SECONDS = 60.0
"""The time after its last renewal for which a dead process keeps an hour from others."""
RENEW_SECONDS = 15.0
"""A fourth of the lease, so that three renewals may fail."""
WAIT_SECONDS = 90.0
"""The time for which a run waits for a lease: longer than a lease, so that it takes over that of a dead holder."""
POLL_SECONDS = 1.0


class LeaseTaken(PipelineError):
    """Another process is sending this destination's hour."""


class LeaseLost(PipelineError):
    """The lease expired while this process was sending, so it must not send any more."""


class Lease:
    """The right to send one destination's hour; made by `acquire`.

    Args:
        database: the state database, which all processes share.
        workspace: of the destination.
        destination_id: of the destination.
        hour: the hour's key.
        lease_seconds: its length after each renewal.
    """

    def __init__(
        self, database: Database, workspace: str, destination_id: str, hour: str, lease_seconds: float
    ) -> None:
        self._database, self._workspace = database, workspace
        self._destination_id, self._hour = destination_id, hour
        self._lease_seconds = lease_seconds
        self._holder = uuid.uuid4().hex
        self._held_until = (0.0, 0.0)

    def ensure_held(self) -> None:
        """Check by this process's clocks that the lease has not expired; cheap enough before every request.

        Raises:
            LeaseLost: it has expired, so that another process may hold it by now.
        """
        if any(now >= until for now, until in zip(_clocks(), self._held_until, strict=True)):
            raise LeaseLost(
                f"The lease of hour {self._hour} could not be renewed before it expired, so this run stopped sending "
                "it. The next run continues where this one stopped."
            )

    def take(self) -> bool:
        """Take or renew the lease, in one statement; return False if another process holds it.

        Raises:
            StateDatabaseError: the database cannot be reached.
        """
        monotonic, wall = _clocks()
        with self._database.transaction(self._workspace) as connection:
            now = self._database.now()
            insert = self._database.insert(LEASES).values(
                destination_id=self._destination_id,
                hour=self._hour,
                holder=self._holder,
                expires_at=now + self._lease_seconds,
            )
            taken = connection.scalar(
                insert.on_conflict_do_update(
                    index_elements=[LEASES.c.destination_id, LEASES.c.hour],
                    set_={"holder": insert.excluded.holder, "expires_at": insert.excluded.expires_at},
                    where=sa.or_(LEASES.c.holder == self._holder, LEASES.c.expires_at <= now),
                ).returning(LEASES.c.holder)
            )
        self._held_until = (monotonic + self._lease_seconds, wall + self._lease_seconds) if taken else (0.0, 0.0)
        return taken is not None

    def renew_until(self, finished: threading.Event, renew_seconds: float) -> None:
        """Renew the lease until the work is finished or another process holds it.

        If the database cannot be reached, the next renewal tries again; the lease holds until it expires.

        Args:
            finished: set at the end of the work.
            renew_seconds: between renewals.
        """
        while not finished.wait(renew_seconds):
            with suppress(StateDatabaseError):
                if not self.take():
                    return

    def release(self) -> None:
        """Give the lease back; if the database cannot be reached, it expires by itself."""
        with suppress(StateDatabaseError), self._database.transaction(self._workspace) as connection:
            connection.execute(sa.delete(LEASES).where(LEASES.c.holder == self._holder))


def _clocks() -> tuple[float, float]:
    """Return monotonic and wall time in seconds: the first may stop while the machine sleeps, the second may be set."""
    return time.monotonic(), time.time()


@contextmanager
def acquire(
    database: Database,
    workspace: str,
    destination_id: str,
    hour: str,
    *,
    wait_seconds: float = WAIT_SECONDS,
    lease_seconds: float = LEASE_SECONDS,
    renew_seconds: float = RENEW_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lease]:
    """Hold the lease of a destination's hour for the length of the block.

    Args:
        database: the state database, which all processes share.
        workspace: of the destination.
        destination_id: of the destination.
        hour: the hour's key.
        wait_seconds: how long to wait for another holder.
        lease_seconds: the length of the lease without a renewal.
        renew_seconds: between renewals.
        sleep: waits for so many seconds.

    Raises:
        LeaseTaken: another process still holds it after the wait.
        StateDatabaseError: the database cannot be reached.
    """
    lease = Lease(database, workspace, destination_id, hour, lease_seconds)
    waited = 0.0
    while not lease.take():
        if waited >= wait_seconds:
            raise LeaseTaken(
                f"Another run is sending {hour} to this destination, so this run sent nothing of it. Events that the "
                "other run leaves pending go out with the next run."
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    finished = threading.Event()
    renewing = threading.Thread(target=lease.renew_until, args=(finished, renew_seconds), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        finished.set()
        renewing.join()
        lease.release()
