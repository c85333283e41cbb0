"""One hour to one destination: takes the lease, sends what is due in batches, and says how it ended.

What happens to a single batch is `sending.py`; what is due is `states.py`; what is remembered is `ledger.py`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from snap_pipeline.capi.session import ApiSession
from snap_pipeline.capi.wire import MAXIMUM_BYTES, MAXIMUM_EVENTS, projection
from snap_pipeline.delivery.leases import Lease, LeaseTaken, acquire
from snap_pipeline.delivery.ledger import Batch, Ledger, files_of_all
from snap_pipeline.delivery.sending import BatchSender, DestinationStopped, Tally
from snap_pipeline.delivery.states import DEDUPLICATION_WINDOW, AgeLimits, PayloadStates, delivery_sql
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.state.database import Database

REQUESTS_IN_FLIGHT = 8
Row = tuple[str, str, datetime, str]


@dataclass(frozen=True)
class HourReport:
    """How a run of one hour and destination ended.

    Attributes:
        counts: events by state (and reason) after the run.
        stopped: why the destination did not complete; None where it did.
        skipped: why nothing was tried at all.
    """

    destination: Destination
    hour: datetime
    tally: Tally = field(default_factory=Tally)
    counts: Mapping[tuple[str, str | None], int] = field(default_factory=dict)
    stopped: DestinationStopped | None = None
    skipped: str | None = None

    def count(self, state: str) -> int:
        """Events in a state, whatever the reason."""
        return sum(events for (name, _), events in self.counts.items() if name == state)

    @property
    def is_complete(self) -> bool:
        """Nothing pending and nothing in doubt."""
        return not self.skipped and not self.count("pending") and not self.count("in_doubt")


class Dispatcher:
    """The dispatch engine.

    Args:
        lake: holds payloads; gets intents, receipts and requests.
        mappings: tell standard event names and currencies from others.
        database: holds leases.
        open_session: gives a destination's access to Snap.
        now: the data's clock.
        limits: of age.
        real_now: the clock of intents.
    """

    def __init__(
        self,
        *,
        lake: Lake,
        mappings: Mappings,
        database: Database,
        open_session: Callable[[Destination], ApiSession],
        now: datetime,
        limits: AgeLimits,
        real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lake, self._mappings, self._database, self._open_session = (
            lake,
            mappings,
            database,
            open_session,
        )
        self._states = PayloadStates(lake, now, limits)
        self._real_now = real_now

    def dispatch(self, destination: Destination, hour: datetime) -> HourReport:
        """Sends what is due, and returns when each event is settled or the destination stopped.

        A lease that somebody else holds ends in a report that says so. Everything else that goes wrong on this
        side, such as a full disk, is raised.
        """
        try:
            with acquire(self._database, destination.id, format_hour(hour)) as lease:
                return self._dispatch(destination, hour, lease)
        except LeaseTaken as error:
            return HourReport(destination, hour, skipped=str(error))

    def _dispatch(self, destination: Destination, hour: datetime, lease: Lease) -> HourReport:
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            ledger.fold(connection)
            if not self._states.prepare(connection, ledger, destination, hour):
                return HourReport(destination, hour)
            classes = self._due(connection)
            if not classes:
                return HourReport(destination, hour, counts=counts_of(connection))
            sending = _Sending(connection, destination, ledger, self._open_session(destination), lease, classes)
            stopped = sending.run()
            ledger.fold(connection)
            self._states.prepare(connection, ledger, destination, hour)
            self._summarize(connection, hour)
            return HourReport(destination, hour, sending.tally, counts_of(connection), stopped)

    def _due(self, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, bool, bool, bool]]:
        """Makes the table of due events and returns its batch classes: standard names and currencies go first."""
        resend_from = (self._real_now() - DEDUPLICATION_WINDOW).astimezone(UTC).replace(tzinfo=None)
        connection.execute(
            """
            create or replace table due_events as
            select file_row_number, asset, has_custom_name, has_rare_currency, state = 'in_doubt' as is_resent
            from payload_states
            where is_deliverable and (state = 'pending' or (state = 'in_doubt' and first_sent_at > $resend_from))
            """,
            {"resend_from": resend_from},
        )
        return connection.execute(
            """
            select distinct asset, has_custom_name, has_rare_currency, is_resent from due_events
            order by is_resent desc, has_custom_name, has_rare_currency, asset desc
            """
        ).fetchall()

    def _summarize(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> None:
        """Makes the hour's `dispatched_batches` from the files of all its destinations."""
        for view, table in (("requests", "delivery_requests"), ("receipts", "delivery_receipts")):
            folder = self._lake.root / table / f"hour={format_hour(hour)}"
            connection.execute(f"create or replace view {view} as {files_of_all(table, folder)}")
        self._lake.replace(connection, self._lake.path("dispatched_batches", hour), delivery_sql("dispatched_batches"))


class _Sending:
    """Streams due events of one hour into batches, several in flight."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        destination: Destination,
        ledger: Ledger,
        session: ApiSession,
        lease: Lease,
        classes: Sequence[tuple[str, bool, bool, bool]],
    ) -> None:
        self._connection, self._destination, self._classes = connection, destination, classes
        self._assets = {"pixel": destination.pixel_id, "app": destination.snap_app_id or ""}
        self._local = threading.local()
        self._sender = BatchSender(
            destination_id=destination.id,
            session=session,
            pixel_id=destination.pixel_id,
            ledger=ledger,
            still_allowed=lease.ensure_held,
            cursor=self._cursor,
        )

    @property
    def tally(self) -> Tally:
        return self._sender.tally

    def run(self) -> DestinationStopped | None:
        """Sends everything; the first batch goes alone, so that a revoked token costs one request."""
        # One thread builds the bodies, which keeps event-time order; the requests run beside it.
        self._connection.execute("set threads = 1")
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
        for asset, has_custom_name, has_rare_currency, is_resent in self._classes:
            for rows in self._rows(asset, has_custom_name, has_rare_currency, is_resent):
                yield from ((self._assets[asset], self._sender.batch(part)) for part in _within_bytes(rows))

    def _rows(self, *batch_class: object) -> Iterator[Sequence[Row]]:
        """Wire rows of one class in the partition's order, which is event-time order, a batch at a time."""
        cursor = self._connection.cursor()
        cursor.execute(
            """
            create or replace table due as
            select file_row_number from due_events
            where (asset, has_custom_name, has_rare_currency, is_resent) = ($asset, $custom, $rare, $resent)
            """,
            dict(zip(("asset", "custom", "rare", "resent"), batch_class, strict=True)),
        )
        ids = {"pixel_id": self._destination.pixel_id, "snap_app_id": self._destination.snap_app_id}
        version = self._destination.api_version
        cursor.execute(projection(version), ids if version == "v2" else None)
        while rows := cursor.fetchmany(MAXIMUM_EVENTS):
            yield rows

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._connection.cursor()
        return cursor


def counts_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str | None], int]:
    """Events of `payload_states` by state and reason."""
    rows = connection.execute(
        "select state, case when state in ('rejected', 'undeliverable') then reason end, count(*) "
        "from payload_states group by all"
    ).fetchall()
    return {(state, reason): events for state, reason, events in rows}


def _within_bytes(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    if len(rows) > 1 and sum(len(row[3]) for row in rows) > MAXIMUM_BYTES:
        middle = len(rows) // 2
        yield from _within_bytes(rows[:middle])
        yield from _within_bytes(rows[middle:])
    else:
        yield rows


def _raise_first(done: set[Future[None]]) -> None:
    for future in done:
        future.result()
