"""The ledger of one destination and hour: intents, receipts and requests, as objects of the lake.

This is a write-ahead log: an intent is durable before a request goes out, a receipt after its answer. Each is a small
object of its own, so a crash can leave one unwritten but none half-written. At the end of a run `compaction.py` merges
the small objects into one a table.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import duckdb

from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Storage, Table, ledger_folder, literal
from snap_pipeline.reasons import DeliveryState

TABLES: Mapping[Table, Mapping[str, str]] = {
    Table.DELIVERY_RECEIPTS: {
        "event_id": "varchar",
        "event_name": "varchar",
        "event_time": "timestamp",
        "workspace": "varchar",
        "batch_id": "varchar",
        "outcome": "varchar",
        "http_status": "integer",
        "reason": "varchar",
        "sent_at": "timestamp",
        "acknowledged_at": "timestamp",
    },
    Table.DELIVERY_INTENTS: {
        "event_id": "varchar",
        "event_name": "varchar",
        "batch_id": "varchar",
        "first_sent_at": "timestamp",
    },
    Table.DELIVERY_REQUESTS: {
        "request_id": "varchar",
        "batch_id": "varchar",
        "workspace": "varchar",
        "attempt": "integer",
        "events": "integer",
        "bytes": "bigint",
        "sent_at": "timestamp",
        "latency_ms": "double",
        "waited_ms": "double",
        "http_status": "integer",
        "category": "varchar",
        "message": "varchar",
    },
}

MAX_READ_ATTEMPTS = 5
"""Attempts to read objects while another run compacts them, which takes milliseconds."""

SNAPSHOT = "_payloads.pinned"
"""The snapshot of the payloads that a run sends. The name is stable, so that a run replaces what a crash left."""
JOURNAL_SECONDS = 1.0
"""Seconds between two writes of the HTTP attempts."""


@dataclass(frozen=True)
class Batch:
    """The events of one request, in event-time order. The three sequences are of the same length.

    Attributes:
        batch_id: a digest of destination, event ids and event names.
        batch_class: the number of the events' class in `due_events`.
        positions: of the events in their class, ascending.
        keys: the id and name of each event, by which Snap tells events apart.
        bodies: each event as JSON.
        has_gaps: whether due events of the class lie between the positions and are not of the batch.
    """

    batch_id: str
    batch_class: int
    positions: Sequence[int]
    keys: Sequence[tuple[str, str]]
    bodies: Sequence[bytes]
    has_gaps: bool = False

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, batch_id: str, indices: Sequence[int]) -> "Batch":
        """Return a batch of some of the events, by their ascending indices here."""
        return Batch(
            batch_id,
            self.batch_class,
            [self.positions[i] for i in indices],
            [self.keys[i] for i in indices],
            [self.bodies[i] for i in indices],
            self.has_gaps or indices[-1] - indices[0] >= len(indices),
        )

    @property
    def source(self) -> str:
        """The SQL that selects the batch's events from `due_events`."""
        span = f"batch_class = {self.batch_class} and position between {self.positions[0]} and {self.positions[-1]}"
        only = f" and position in ({', '.join(map(str, self.positions))})" if self.has_gaps else ""
        return f"from due_events where {span}{only}"


class RequestJournal:
    """The HTTP attempts of one destination and hour, as JSON lines until compaction makes a table of them.

    They serve health and reports, and decide nothing. So they are buffered for a second, and a crash may lose the last
    ones.
    """

    def __init__(self, storage: Storage, folder: str) -> None:
        self._storage, self._folder = storage, folder
        self._lock = Lock()
        self._lines: list[str] = []
        self._written_at = -JOURNAL_SECONDS

    def note(self, request: Mapping[str, Any]) -> None:
        """Buffer one attempt, and write the buffer if the last write is a second ago."""
        with self._lock:
            self._lines.append(json.dumps(request, default=_utc))
            if time.monotonic() - self._written_at >= JOURNAL_SECONDS:
                self._write()

    def flush(self) -> None:
        """Write the buffer."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._lines:
            self._storage.put(f"{self._folder}/_{uuid.uuid4().hex}.ndjson", "\n".join(self._lines) + "\n")
            self._lines.clear()
            self._written_at = time.monotonic()


class Ledger:
    """The objects of one destination and hour. Writing is safe from several threads; one process holds the lease."""

    def __init__(self, lake: Lake, hour: datetime, destination_id: str, workspace: str) -> None:
        self._storage = lake.storage
        self._hour, self._destination_id, self._workspace = hour, destination_id, workspace
        self._requests = RequestJournal(lake.storage, self.folder(Table.DELIVERY_REQUESTS))

    def folder(self, table: Table) -> str:
        """Return the prefix of the table's objects of this destination and hour."""
        return ledger_folder(table, self._hour, self._destination_id)

    def files(self, table: Table) -> list[str]:
        """Return the keys of the table's Parquet objects of this destination and hour."""
        return parquet_keys(self._storage, self.folder(table))

    def snapshot(self, payloads: str) -> AbstractContextManager[str]:
        """Yield the key of a snapshot of a partition, whose rows stay in place when the partition is replaced."""
        return self._storage.snapshot(payloads, f"{self.folder(Table.DELIVERY_INTENTS)}/{SNAPSHOT}")

    def write_intent(self, connection: duckdb.DuckDBPyConnection, batch: Batch, moment: datetime) -> bool:
        """Write the intent to send a batch; return False if there is one already, whose time then stays."""
        key = self.intent(batch.batch_id)
        if self._storage.exists(key):
            return False
        query = f"select event_id, event_name, {literal(batch.batch_id)} as batch_id, "
        query += f"{literal(_utc(moment))}::timestamp as first_sent_at {batch.source}"
        self._storage.commit(connection, key, query)
        return True

    def drop_intent(self, batch: Batch) -> None:
        """Delete an intent: the batch is settled, or an answer proved that none of it was taken."""
        self._storage.delete([self.intent(batch.batch_id)])

    def write_receipts(
        self,
        connection: duckdb.DuckDBPyConnection,
        batch: Batch,
        *,
        reason: str | None,
        http_status: int,
        sent_at: datetime,
        acknowledged_at: datetime,
    ) -> None:
        """Write the receipts of a batch's events: rejected if there is a reason, delivered otherwise.

        `sent_at` is the time of the first request, `acknowledged_at` that of the answer.
        """
        outcome = DeliveryState.DELIVERED if reason is None else DeliveryState.REJECTED
        query = f"""
            select
                event_id,
                event_name,
                event_time,
                {literal(self._workspace)} as workspace,
                {literal(batch.batch_id)} as batch_id,
                {literal(outcome)} as outcome,
                {http_status}::integer as http_status,
                {"null" if reason is None else literal(reason)}::varchar as reason,
                {literal(_utc(sent_at))}::timestamp as sent_at,
                {literal(_utc(acknowledged_at))}::timestamp as acknowledged_at
            {batch.source}
        """
        name = f"{batch.batch_id}-{batch.positions[0]}-{outcome}"
        self._storage.commit(connection, f"{self.folder(Table.DELIVERY_RECEIPTS)}/{name}.parquet", query)

    def note_request(self, request: Mapping[str, Any]) -> None:
        """Add one HTTP attempt to the journal."""
        self._requests.note({**request, "workspace": self._workspace})

    def flush_requests(self) -> None:
        """Write the attempts that the journal still buffers."""
        self._requests.flush()

    def define_views(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables `own_receipts` and `intents` of this destination and hour."""
        for view, table in (("own_receipts", Table.DELIVERY_RECEIPTS), ("intents", Table.DELIVERY_INTENTS)):
            self._define_view(connection, view, table)

    def _define_view(self, connection: duckdb.DuckDBPyConnection, view: str, table: Table) -> None:
        def define() -> None:
            rows = rows_of(self._storage, table, self.files(table))
            connection.execute(f"create or replace table {view} as {rows}")

        retry_during_compaction(define)

    def intent(self, batch_id: str) -> str:
        """Return the key of a batch's intent."""
        return f"{self.folder(Table.DELIVERY_INTENTS)}/{batch_id}.parquet"


class NullLedger(Ledger):
    """A ledger that writes nothing, for the validate endpoint, whose answers settle no event."""

    def write_intent(self, connection: duckdb.DuckDBPyConnection, batch: Batch, moment: datetime) -> bool:  # noqa: ARG002 - as the base calls it
        """Write nothing, and return True as for a new intent."""
        return True

    def drop_intent(self, batch: Batch) -> None:
        """Do nothing, since no intent was written."""

    def write_receipts(self, *_: Any, **__: Any) -> None:
        """Write nothing: an event that passed validation was not delivered."""

    def note_request(self, request: Mapping[str, Any]) -> None:
        """Record nothing: requests to the validate endpoint are no part of the destination's health."""


def retry_during_compaction(read: Callable[[], object]) -> None:
    """Run a read that lists objects first, and retry it if one of them was compacted away in between.

    The objects of other hours are read without their leases, whose holders may compact at any moment. The compacted
    object is there before its parts are deleted, so that the next listing finds everything.

    Raises:
        duckdb.IOException: the objects cannot be read for another reason.
    """
    for _ in range(MAX_READ_ATTEMPTS):
        try:
            read()
        except duckdb.IOException as error:
            failure = error
        else:
            return
    raise failure


def rows_of(storage: Storage, table: Table, keys: Iterable[str]) -> str:
    """Return a query over objects of a table, or of no rows if there are none."""
    found = sorted(keys)
    if found:
        return f"select {', '.join(TABLES[table])} from {storage.scan(found, by_name=True)}"
    nothing = ", ".join(f"null::{kind} as {name}" for name, kind in TABLES[table].items())
    return f"select {nothing} limit 0"


def answered_destinations(storage: Storage, table: Table, hour: datetime) -> list[str]:
    """Return the ids of the destinations that may have objects of a table's hour, from one listing."""
    names = storage.names(f"{table}/hour={format_hour(hour)}")
    return sorted(name.removeprefix("destination=") for name in names if name.startswith("destination="))


def rows_of_all(storage: Storage, table: Table, hour: datetime) -> str:
    """Return a query over a table's objects of all destinations of an hour, with the column `destination`."""
    parts = []
    for destination_id in answered_destinations(storage, table, hour):
        rows = rows_of(storage, table, parquet_keys(storage, ledger_folder(table, hour, destination_id)))
        parts.append(f"select *, {literal(destination_id)} as destination from ({rows})")
    return " union all ".join(parts) or f"select *, null::varchar as destination from ({rows_of(storage, table, [])})"


def parquet_keys(storage: Storage, prefix: str) -> list[str]:
    """Return the keys of the Parquet objects directly below a prefix."""
    return [f"{prefix}/{name}" for name in storage.names(prefix) if name.endswith(".parquet")]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()
