"""Leases: at most one process sends one destination's hour at a time.

A lease is a row that expires. Its holder renews it from a thread of its own; a holder that died does not, and the
next one takes over. What is sent under the lease is `dispatch.py`.
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
RENEW_SECONDS = 15.0
WAIT_SECONDS = 90.0
POLL_SECONDS = 1.0


class LeaseTaken(PipelineError):
    """Another process is sending this destination's hour."""


class LeaseLost(PipelineError):
    """The lease expired under this process, so it must not send any more."""


class Lease:
    """The right to send one destination's hour; made by `acquire`.

    Args:
        database: that all processes share.
        workspace: of the destination.
        destination_id: of the destination.
        hour: its key.
        lease_seconds: how long it is good for after each renewal.
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
        """Asks this process's clocks alone, so that it can be called before every request.

        Raises:
            LeaseLost: the lease may be somebody else's by now.
        """
        if any(now >= until for now, until in zip(_clocks(), self._held_until, strict=True)):
            raise LeaseLost(
                f"The lease of {self._hour} could not be renewed in time, so this run stopped sending. "
                "The next run goes on where it ended."
            )

    def take(self) -> bool:
        """Takes or renews the lease, in one statement; False where somebody else holds it.

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
        """Renews every so many seconds until the work is finished or the lease is somebody else's.

        A database that cannot be reached is asked again; the lease is good until it expires.
        """
        while not finished.wait(renew_seconds):
            with suppress(StateDatabaseError):
                if not self.take():
                    return

    def release(self) -> None:
        """Gives the lease back; where the database cannot be reached it expires by itself."""
        with suppress(StateDatabaseError), self._database.transaction(self._workspace) as connection:
            connection.execute(sa.delete(LEASES).where(LEASES.c.holder == self._holder))


def _clocks() -> tuple[float, float]:
    """Seconds of a clock that nobody sets, but that stands still while the machine sleeps, and of one that goes on."""
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
    """Holds the lease of a destination's hour for the length of the block.

    Args:
        database: that all processes share.
        workspace: of the destination.
        destination_id: of the destination.
        hour: its key.
        wait_seconds: how long to wait for somebody else; longer than a lease, so that a dead holder's is taken over.
        lease_seconds: how long a lease is good for without a renewal.
        renew_seconds: between renewals.
        sleep: waits for so many seconds.

    Raises:
        LeaseTaken: somebody else still holds it after the wait.
        StateDatabaseError: the database cannot be reached.
    """
    lease = Lease(database, workspace, destination_id, hour, lease_seconds)
    waited = 0.0
    while not lease.take():
        if waited >= wait_seconds:
            raise LeaseTaken(
                f"Another run is sending {hour} to this destination. This one sent nothing there; what the other one "
                "leaves pending goes out with the next run."
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
