"""Batches of due events: cut in event-time order within Snap's limits, and sent several at once.

Which events are due is decided in `dispatch.py`; a single batch is settled in `batch_sender.py`.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import NamedTuple

import duckdb

from snap_pipeline.capi.limits import MAXIMUM_BYTES, MAXIMUM_EVENTS
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.batch_sender import BatchSender
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped, DispatchStats
from snap_pipeline.delivery.leases import Lease
from snap_pipeline.delivery.ledger import Batch, Ledger
from snap_pipeline.destinations.destination import Destination

REQUESTS_IN_FLIGHT = 8
"""Requests of one hour and destination at the same time; the token's rate limit holds over all of them."""

WireRow = tuple[int, str, str, bytes]
"""An event's position among the due ones of its class, its id, its name, and its JSON body."""


class BatchClass(NamedTuple):
    """A class of events that may share requests.

    Attributes:
        number: of the class in `due_events`.
        asset: `pixel` or `app`.
        events: how many of them are due.
    """

    number: int
    asset: str
    events: int


class BatchStream:
    """The due events of one hour as a stream of batches, several in flight.

    Args:
        connection: holds `conversion_payloads` and `due_events`.
        destination: the receiver.
        ledger: gets intents, receipts and requests.
        session: the destination's access to Snap.
        classes: of the due events, in the order in which to send them.
        lease: the right to send; without one, everything goes to the validate endpoint, which counts nothing.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        destination: Destination,
        ledger: Ledger,
        session: ApiSession,
        classes: Sequence[BatchClass],
        lease: Lease | None = None,
    ) -> None:
        self._connection, self._destination, self._classes = connection, destination, classes
        self._asset_ids = {"pixel": destination.pixel_id, "app": destination.snap_app_id or ""}
        self._local = threading.local()
        self._sender = BatchSender(
            destination_id=destination.id,
            session=session,
            pixel_id=destination.pixel_id,
            ledger=ledger,
            ensure_lease_held=lease.ensure_held if lease else lambda: None,
            cursor=self._cursor,
            validate_only=lease is None,
        )

    @property
    def stats(self) -> DispatchStats:
        """The requests and outcomes so far."""
        return self._sender.stats

    def run(self) -> DestinationStopped | None:
        """Send everything; the first batch goes alone, so that a revoked token costs one request.

        Returns:
            why the destination stopped; None if it did not.
        """
        batches = self._batches()
        in_flight: set[Future[None]] = set()
        try:
            with ExitStack() as stack:
                first = next(batches, None)
                if first is None:
                    return None
                self._sender.deliver(*first)
                pool = stack.enter_context(ThreadPoolExecutor(REQUESTS_IN_FLIGHT))
                for asset_id, batch in batches:
                    in_flight.add(pool.submit(self._sender.deliver, asset_id, batch))
                    if len(in_flight) >= 2 * REQUESTS_IN_FLIGHT:
                        done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                        _raise_first(done)
                done, in_flight = wait(in_flight)
                _raise_first(done)
            self._sender.conclude()
        except DestinationStopped as stop:
            return stop
        return None

    def _batches(self) -> Iterator[tuple[str, Batch]]:
        for each in self._classes:
            asset_id = self._asset_ids[each.asset]
            for rows in self._wire_rows(each):
                yield from ((asset_id, self._sender.batch(each.number, part)) for part in _split_by_bytes(rows))

    def _wire_rows(self, batch_class: BatchClass) -> Iterator[Sequence[WireRow]]:
        """Yield the wire rows of one class in event-time order, a batch at a time."""
        cursor = self._connection.cursor()
        cursor.execute(
            "create or replace view due as select file_row_number, position from due_events "
            f"where batch_class = {batch_class.number}"
        )
        dialect = self._destination.dialect
        cursor.execute(
            f"select position, due_events.event_id, due_events.event_name, encode(body) from ({dialect.projection}) "
            f"inner join due_events using (position) where batch_class = {batch_class.number} order by position",
            self._destination.projection_parameters,
        )
        while rows := cursor.fetchmany(MAXIMUM_EVENTS):
            yield rows

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._connection.cursor()
        return cursor


def _split_by_bytes(rows: Sequence[WireRow]) -> Iterator[Sequence[WireRow]]:
    if len(rows) > 1 and sum(len(body) for *_, body in rows) > MAXIMUM_BYTES:
        middle = len(rows) // 2
        yield from _split_by_bytes(rows[:middle])
        yield from _split_by_bytes(rows[middle:])
    else:
        yield rows


def _raise_first(done: set[Future[None]]) -> None:
    for future in done:
        future.result()
