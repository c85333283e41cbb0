"""The dispatch of one hour to one destination: take the lease, send the due events in batches, report the outcome.

A single batch is settled in `batch_sender.py`; the state of each event comes from `event_status.py`; receipts are
written by `ledger.py`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from snap_pipeline.capi.answers import Answer
from snap_pipeline.capi.limits import DEDUPLICATION_WINDOW
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.batches import BatchClass, BatchStream
from snap_pipeline.delivery.compaction import compact
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped, DispatchStats
from snap_pipeline.delivery.event_status import PayloadStates, delivery_sql
from snap_pipeline.delivery.held_events import Held, held_events
from snap_pipeline.delivery.hour_status import Counts, HourStatus, HourStatusCache, hour_status_of
from snap_pipeline.delivery.leases import Lease, LeaseTaken, acquire
from snap_pipeline.delivery.ledger import (
    Ledger,
    NullLedger,
    answered_destinations,
    retry_during_compaction,
    rows_of_all,
)
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.summaries import Summaries
from snap_pipeline.reasons import DeliveryState
from snap_pipeline.state.database import Database


@dataclass(frozen=True)
class DispatchOptions:
    """Options by which a run sends more than the pending events and those in doubt that are safe to send again.

    Attributes:
        resend_in_doubt: sends events in doubt even after Snap's deduplication window, when they may be counted twice.
        retry_rejected: sends events again that Snap refused.
        validate_only: sends to the validate endpoint, which counts nothing, and writes no receipts.
    """

    resend_in_doubt: bool = False
    retry_rejected: bool = False
    validate_only: bool = False

    def is_undelivered(self, status: HourStatus, wall_clock: datetime) -> bool:
        """Tell whether a run with these options could send anything."""
        return (
            status.is_undelivered(wall_clock)
            or (self.resend_in_doubt and status.count(DeliveryState.IN_DOUBT) > 0)
            or (self.retry_rejected and status.count(DeliveryState.REJECTED) > 0)
        )


@dataclass(frozen=True)
class HourReport:
    """The outcome of a run for one hour and destination.

    Attributes:
        stats: what this run did; where it only validated, `delivered` are the events that would be taken.
        due: events that this run set out to send.
        counts: events by state (and reason) after the run.
        stopped: why the destination did not complete; None where it did.
        skipped: why nothing was tried at all; `counts` are then empty, until `count_skipped` finds them.
        held: what becomes of what was due, where nothing was sent since other rules of consent let it through.
    """

    destination: Destination
    hour: datetime
    stats: DispatchStats = field(default_factory=DispatchStats)
    due: int = 0
    counts: Counts = field(default_factory=dict)
    stopped: DestinationStopped | None = None
    skipped: str | None = None
    held: Held | None = None

    def count(self, state: DeliveryState) -> int:
        """Return the number of events in a state, whatever the reason."""
        return sum(events for (name, _), events in self.counts.items() if name == state)

    @property
    def left(self) -> int:
        """The number of events that are pending or in doubt."""
        return self.count(DeliveryState.PENDING) + self.count(DeliveryState.IN_DOUBT)

    @property
    def is_complete(self) -> bool:
        """True if nothing is pending and nothing is in doubt."""
        return not self.skipped and not self.left

    @property
    def failure(self) -> Answer | None:
        """The last failed answer if the run settled no event at all, otherwise None.

        The run still goes on with the next hour, since the failure may concern a single batch.
        """
        settled = self.stats.delivered or self.stats.rejected
        return self.stats.last_failure if not settled and not self.is_complete else None


class Dispatcher:
    """The dispatch engine.

    Args:
        lake: holds payloads; gets intents, receipts and requests.
        summaries: tell whether an hour has conversions of a workspace.
        mappings: tell standard event names and currencies from others, and today's rules of consent from earlier ones.
        database: holds leases.
        open_session: gives a destination's access to Snap.
        now: the data's clock.
        wall_clock: real time, for intents and Snap's deduplication window.
    """

    def __init__(
        self,
        *,
        lake: Lake,
        summaries: Summaries,
        mappings: Mappings,
        database: Database,
        open_session: Callable[[Destination], ApiSession],
        now: datetime,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lake, self._mappings, self._database, self._open_session = (
            lake,
            mappings,
            database,
            open_session,
        )
        self._summaries, self._now = summaries, now
        self._states = PayloadStates(lake, now)
        self._statuses = HourStatusCache(lake)
        self._wall_clock = wall_clock

    def dispatch(
        self, destination: Destination, hour: datetime, options: DispatchOptions = DispatchOptions()
    ) -> HourReport:
        """Send the due events, and return once each is settled or the destination stopped.

        If another run holds the lease, the report says so in `skipped`. Local failures, such as a full disk, are
        raised.
        """
        conversions = self._summaries.of([hour])[hour].conversions
        if destination.workspace not in conversions and destination.id not in answered_destinations(
            self._lake.storage, Table.DELIVERY_RECEIPTS, hour
        ):
            return HourReport(destination, hour)
        if options.validate_only:
            return self._validate(destination, hour, options)
        status = self._statuses.cached(destination, hour)
        # Events in doubt may have been delivered in another hour meanwhile, so that their status is found afresh.
        is_settled = status and not status.count(DeliveryState.IN_DOUBT)
        if status and is_settled and not options.is_undelivered(status, self._wall_clock()):
            return HourReport(destination, hour, counts=status.counts)
        try:
            with acquire(self._database, destination.workspace, destination.id, format_hour(hour)) as lease:
                return self._dispatch(destination, hour, options, lease)
        except LeaseTaken as error:
            return HourReport(destination, hour, skipped=str(error))

    def _dispatch(self, destination: Destination, hour: datetime, options: DispatchOptions, lease: Lease) -> HourReport:
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        payloads_now = partition(Table.CONVERSION_PAYLOADS, hour)
        with self._lake.connect() as connection, ledger.snapshot(payloads_now) as payloads:
            self._mappings.load_standards(connection)
            compact(self._lake.storage, connection, ledger)
            made_from = self._statuses.made_from(destination, hour, payloads)
            copies = self._states.prepare(connection, ledger, destination, hour, payloads)
            if copies is None:
                return HourReport(destination, hour)
            stats, stopped = DispatchStats(), None
            classes = self._due(connection, options)
            held = held_events(self._lake, self._mappings, connection, destination, hour, payloads) if classes else None
            if classes and not held:
                self._statuses.forget(destination, hour)
                sending = BatchStream(connection, destination, ledger, self._open_session(destination), classes, lease)
                try:
                    stopped, stats = sending.run(), sending.stats
                except BaseException:
                    with suppress(OSError):  # the error that ended the run is the one to report
                        ledger.flush_requests()
                    raise
                lease.ensure_held()
                compact(self._lake.storage, connection, ledger)
                made_from = self._statuses.made_from(destination, hour, payloads)
                self._states.refresh(connection, ledger, destination, hour, copies)
                self._forget_superseded_hours(connection, destination)
                retry_during_compaction(lambda: self._write_dispatched_batches(connection, hour))
            status = hour_status_of(connection, self._now)
            self._statuses.remember(destination, hour, status, made_from)
            due = sum(each.events for each in classes)
            return HourReport(destination, hour, stats, due, status.counts, stopped, held=held)

    def _validate(self, destination: Destination, hour: datetime, options: DispatchOptions) -> HourReport:
        ledger = NullLedger(self._lake, hour, destination.id, destination.workspace)
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            if not self._states.prepare(connection, ledger, destination, hour):
                return HourReport(destination, hour)
            counts = hour_status_of(connection, self._now).counts
            classes = self._due(connection, options)
            due = sum(each.events for each in classes)
            held = held_events(
                self._lake, self._mappings, connection, destination, hour, partition(Table.CONVERSION_PAYLOADS, hour)
            )
            if classes and held:
                return HourReport(destination, hour, due=due, counts=counts, held=held)
            sending = BatchStream(connection, destination, ledger, self._open_session(destination), classes)
            stopped = sending.run()
            return HourReport(destination, hour, sending.stats, due, counts, stopped)

    def _due(self, connection: duckdb.DuckDBPyConnection, options: DispatchOptions) -> list[BatchClass]:
        """Create the table `due_events` and return its batch classes, standard names and currencies first."""
        resend_from = (self._wall_clock() - DEDUPLICATION_WINDOW).astimezone(UTC).replace(tzinfo=None)
        connection.execute(
            """
            create or replace table due_events as
            select
                file_row_number,
                event_id,
                event_name,
                event_time,
                asset,
                8 * (state != 'in_doubt')::integer
                + 4 * has_custom_name::integer
                + 2 * has_rare_currency::integer
                + (asset = 'app')::integer as batch_class,
                row_number() over (partition by batch_class order by event_time, event_id, event_name) as position
            from payload_states
            where is_deliverable and (
                state = 'pending'
                or (state = 'in_doubt' and (first_sent_at > $resend_from or $resend_in_doubt))
                or (state = 'rejected' and $retry_rejected)
            )
            """,
            {
                "resend_from": resend_from,
                "resend_in_doubt": options.resend_in_doubt,
                "retry_rejected": options.retry_rejected,
            },
        )
        rows = connection.execute(
            """
            select batch_class, any_value(asset), count(*) from due_events
            group by batch_class
            order by batch_class
            """
        ).fetchall()
        return [BatchClass(*row) for row in rows]

    def _forget_superseded_hours(self, connection: duckdb.DuckDBPyConnection, destination: Destination) -> None:
        """Drop the cached status of hours that sent copies of these events meanwhile; their answers do not count."""
        hours = connection.execute(
            """
            select distinct hour
            from other_receipts
            semi join (from payload_states where state in ('delivered', 'rejected')) using (event_id, event_name)
            """
        ).fetchall()
        for (key,) in hours:
            self._statuses.forget(destination, parse_hour(key))

    def _write_dispatched_batches(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> None:
        """Write the hour's `dispatched_batches` from the requests and receipts of all destinations."""
        storage = self._lake.storage
        for view, table in (("requests", Table.DELIVERY_REQUESTS), ("receipts", Table.DELIVERY_RECEIPTS)):
            connection.execute(f"create or replace view {view} as {rows_of_all(storage, table, hour)}")
        storage.commit(connection, partition(Table.DISPATCHED_BATCHES, hour), delivery_sql("dispatched_batches"))
