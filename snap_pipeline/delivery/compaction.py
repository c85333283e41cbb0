"""Compaction of a ledger: the small files that batches leave become one file a table.

No file is ever overwritten: the compacted one gets a name of its own, and only the files that it was made from are
deleted. A process that was paused half-way and lost its lease therefore takes nothing from the one that took over. A
crash or such a pause leaves rows twice, never too few, until the next run; readers take the newest row of an event.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import duckdb

from snap_pipeline.delivery.ledger import TABLES, Ledger, files_of
from snap_pipeline.lake.lake import Lake, literal


def compact(lake: Lake, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Compact receipts and requests, and drop intents whose events all have a receipt since."""
    _compact_receipts(lake, connection, ledger.folder("delivery_receipts"))
    _compact_requests(lake, connection, ledger)
    for table in TABLES:
        _unlink_all(ledger.folder(table).glob("*.tmp"))  # of a run that was killed while it wrote
    if any(ledger.folder("delivery_intents").glob("*.parquet")):
        _drop_settled_intents(connection, ledger)


def is_compacted(path: Path) -> bool:
    """Tell a compacted file from that of a batch, whose name begins with a digest."""
    return path.name.startswith("data")


def _compact_receipts(lake: Lake, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    parts = list(folder.glob("*.parquet"))
    if len(parts) > 1 or not all(map(is_compacted, parts)):
        query = f"from ({files_of('delivery_receipts', parts)}) "
        query += "qualify row_number() over (partition by event_id, event_name order by sent_at desc) = 1 "
        query += "order by event_time, event_id"
        lake.replace(connection, _new_file(folder), query)
        _unlink_all(parts)


def _compact_requests(lake: Lake, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    folder = ledger.folder("delivery_requests")
    with suppress(FileNotFoundError):
        ledger.journal.replace(folder / f"_{uuid.uuid4().hex}.ndjson")  # whoever else appends begins another one
    journals = [path for path in folder.glob("*.ndjson") if path != ledger.journal]
    parts = list(folder.glob("*.parquet"))
    if journals or len(parts) > 1:
        query = files_of("delivery_requests", parts)
        if journals:
            columns = ", ".join(f"{name}: {literal(kind)}" for name, kind in TABLES["delivery_requests"].items())
            query = f"({query}) union all by name from read_json([{', '.join(map(literal, journals))}], "
            query += f"format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = true)"
        query = f"from ({query}) where request_id is not null qualify row_number() over (partition by request_id) = 1"
        lake.replace(connection, _new_file(folder), query)
        _unlink_all([*journals, *parts])


def _drop_settled_intents(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    ledger.define_views(connection)
    settled = connection.execute(
        """
        with settled as (
            select
                event_id,
                event_name,
                max(sent_at) as settled_at
            from own_receipts
            group by event_id, event_name
        )

        select batch_id
        from intents
        -- Intents of older versions have no name.
        left join settled
            on intents.event_id = settled.event_id
            and coalesce(intents.event_name, settled.event_name) = settled.event_name
        group by batch_id
        having bool_and(coalesce(settled_at >= first_sent_at, false))
        """
    ).fetchall()
    for (batch_id,) in settled:
        ledger.intent(batch_id).unlink(missing_ok=True)


def _new_file(folder: Path) -> Path:
    return folder / f"data-{uuid.uuid4().hex[:16]}.parquet"


def _unlink_all(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
