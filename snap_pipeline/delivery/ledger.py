"""What delivery remembers of one destination and hour: intents, receipts and requests, as files of the lake.

An intent is on disk before a request goes out, a receipt after its answer; each is a small file of its own, so a
crash can leave one unwritten but none half-written. At the end of a run `compaction.py` makes one of the small files.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake, literal, make_durable

TABLES: Mapping[str, Mapping[str, str]] = {
    "delivery_receipts": {
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
    "delivery_intents": {
        "event_id": "varchar",
        "event_name": "varchar",
        "batch_id": "varchar",
        "first_sent_at": "timestamp",
    },
    "delivery_requests": {
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
"""At files that others fold; a fold takes milliseconds."""


@dataclass(frozen=True)
class Batch:
    """Events that go out in one request, in event-time order. The three sequences run in parallel.

    Attributes:
        batch_id: a digest of destination and event ids.
        batch_class: the number of the events' class in `due_events`.
        positions: of the events in their class, ascending.
        event_ids: of the payloads.
        bodies: each event as Snap gets it.
        has_gaps: whether due events of the class lie between the positions and are not of the batch.
    """

    batch_id: str
    batch_class: int
    positions: Sequence[int]
    event_ids: Sequence[str]
    bodies: Sequence[bytes]
    has_gaps: bool = False

    def __len__(self) -> int:
        return len(self.event_ids)

    def part(self, batch_id: str, indices: Sequence[int]) -> "Batch":
        """Some of the events, by their indices here, ascending, under an id of their own."""
        return Batch(
            batch_id,
            self.batch_class,
            [self.positions[i] for i in indices],
            [self.event_ids[i] for i in indices],
            [self.bodies[i] for i in indices],
            self.has_gaps or indices[-1] - indices[0] >= len(indices),
        )

    @property
    def source(self) -> str:
        """SQL: the batch's events in `due_events`."""
        span = f"batch_class = {self.batch_class} and position between {self.positions[0]} and {self.positions[-1]}"
        only = f" and position in ({', '.join(map(str, self.positions))})" if self.has_gaps else ""
        return f"from due_events where {span}{only}"


class Ledger:
    """The files of one destination and hour. Writing is safe from several threads; one process holds the lease."""

    def __init__(self, lake: Lake, hour: datetime, destination_id: str, workspace: str) -> None:
        self._lake = lake
        self._key = Path(f"hour={format_hour(hour)}") / f"destination={destination_id}"
        self._workspace = workspace
        self._journal_lock = Lock()

    def folder(self, table: str) -> Path:
        """Where the table's files of this destination and hour lie."""
        return self._lake.root / table / self._key

    @contextmanager
    def snapshot(self, payloads: Path) -> Iterator[Path]:
        """The partition as it is now, under a name of its own: whoever makes it again meanwhile shifts no row.

        Yields the path where it would lie, when there is no partition.
        """
        pin = self.folder("delivery_intents") / "_payloads.pinned"
        pin.unlink(missing_ok=True)  # of a run that was killed
        if payloads.exists():
            pin.parent.mkdir(parents=True, exist_ok=True)
            os.link(payloads, pin)
        try:
            yield pin
        finally:
            pin.unlink(missing_ok=True)
            with suppress(OSError):  # intents are left; without any, whoever looks for them finds no folder sooner
                pin.parent.rmdir()

    def write_intent(self, connection: duckdb.DuckDBPyConnection, batch: Batch, moment: datetime) -> bool:
        """Notes that a batch is about to be sent. False where that was noted before, which then still counts."""
        path = self.intent(batch.batch_id)
        if path.exists():
            return False
        query = f"select event_id, event_name, {literal(batch.batch_id)} as batch_id, "
        query += f"{literal(_utc(moment))}::timestamp as first_sent_at {batch.source}"
        self._write(connection, path, query)
        return True

    def drop_intent(self, batch: Batch) -> None:
        """Takes an intent back: the batch is settled, or an answer proved that none of it was taken."""
        self.intent(batch.batch_id).unlink(missing_ok=True)

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
        """Notes what became of a batch's events, or of a part of them: rejected for a reason, delivered without one."""
        outcome = "delivered" if reason is None else "rejected"
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
        self._write(connection, self._path("delivery_receipts", name), query)

    def note_request(self, request: Mapping[str, Any]) -> None:
        """Appends one HTTP attempt to this run's journal."""
        with self._journal_lock:
            self.journal.parent.mkdir(parents=True, exist_ok=True)
            with self.journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps({**request, "workspace": self._workspace}, default=_utc) + "\n")

    def define_views(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes `own_receipts` and `intents` of this destination and hour."""
        for view, table in (("own_receipts", "delivery_receipts"), ("intents", "delivery_intents")):
            self._define_view(connection, view, table)

    def _define_view(self, connection: duckdb.DuckDBPyConnection, view: str, table: str) -> None:
        folder = self.folder(table)
        retry_during_compaction(
            lambda: connection.execute(f"create or replace table {view} as {files_of(table, folder.glob('*.parquet'))}")
        )

    @property
    def journal(self) -> Path:
        """The file that HTTP attempts are appended to until they are compacted."""
        return self.folder("delivery_requests") / "_journal.ndjson"

    def intent(self, batch_id: str) -> Path:
        """The path of a batch's intent."""
        return self._path("delivery_intents", batch_id)

    def _path(self, table: str, name: str) -> Path:
        return self.folder(table) / f"{name}.parquet"

    def _write(self, connection: duckdb.DuckDBPyConnection, path: Path, query: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        connection.execute(f"copy ({query}) to {literal(draft)} (format parquet)")
        make_durable(draft)
        draft.replace(path)
        make_durable(path.parent)


class NullLedger(Ledger):
    """Reads like a ledger and writes nothing: what the validate endpoint says settles nothing."""

    def write_intent(self, connection: duckdb.DuckDBPyConnection, batch: Batch, moment: datetime) -> bool:  # noqa: ARG002 - as the base calls it
        """Says that nothing was noted before."""
        return True

    def drop_intent(self, batch: Batch) -> None:
        """There is none."""

    def write_receipts(self, *_: Any, **__: Any) -> None:
        """An event that would be taken was not taken."""

    def note_request(self, request: Mapping[str, Any]) -> None:
        """Requests that deliver nothing are no part of the destination's health."""


def retry_during_compaction(read: Callable[[], object]) -> None:
    """Does a read that lists files first, and does it again where one of them was folded away in between.

    Whoever holds the lease of another hour or destination folds its files at any moment. The whole is there before
    its parts go, so the next look finds everything.

    Raises:
        duckdb.IOException: the files cannot be read for another reason.
    """
    for _ in range(MAX_READ_ATTEMPTS):
        try:
            read()
        except duckdb.IOException as error:
            failure = error
        else:
            return
    raise failure


def names_in(folder: str | Path) -> list[str]:
    """Return the names in a folder; none where it is missing. Thousands of hours are looked at, so that each counts."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - no path is made of most of them
    except FileNotFoundError:
        return []


def files_of(table: str, paths: Iterable[Path]) -> str:
    """A query over Parquet files of a table; an empty relation of its columns where there are none."""
    columns, names = ", ".join(TABLES[table]), ", ".join(map(literal, sorted(paths)))
    if names:
        return f"select {columns} from read_parquet([{names}], hive_partitioning = false, union_by_name = true)"
    nothing = ", ".join(f"null::{kind} as {name}" for name, kind in TABLES[table].items())
    return f"select {nothing} limit 0"


def answered_destinations(lake: Lake, hour: datetime) -> frozenset[str]:
    """Return the ids of the destinations that may have receipts of an hour, from one look at its folder."""
    folders = (lake.root / "delivery_receipts" / f"hour={format_hour(hour)}").glob("destination=*")
    return frozenset(folder.name.removeprefix("destination=") for folder in folders)


def files_of_all(table: str, folder: Path) -> str:
    """A query over a table's Parquet files of all destinations of an hour, with the column `destination`."""
    parts = [
        f"select *, {literal(each.name.removeprefix('destination='))} as destination "
        f"from ({files_of(table, each.glob('*.parquet'))})"
        for each in sorted(folder.glob("destination=*"))
    ]
    return " union all ".join(parts) or f"select *, null::varchar as destination from ({files_of(table, [])})"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()
