"""Compaction of a ledger: merging the small objects that batches leave into one object a table.

No object is ever overwritten: the compacted one gets a name of its own, and only the objects that it was made from are
deleted. A process that was paused half-way and lost its lease therefore deletes nothing of the one that took over. A
crash or such a pause leaves rows twice, never too few, until the next run; readers take the newest row of an event.
"""

import uuid

import duckdb

from snap_pipeline.delivery.ledger import TABLES, Ledger, rows_of
from snap_pipeline.lake.storage import Storage, Table


def compact(storage: Storage, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Compact receipts and requests, and drop the intents whose events all have a newer receipt."""
    _compact_receipts(storage, connection, ledger)
    _compact_requests(storage, connection, ledger)
    if ledger.files(Table.DELIVERY_INTENTS):
        _drop_settled_intents(storage, connection, ledger)


def is_compacted(key: str) -> bool:
    """Tell whether an object is compacted; that of a batch has a name that begins with a digest."""
    return key.rsplit("/", 1)[-1].startswith("data")


def _compact_receipts(storage: Storage, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    parts = ledger.files(Table.DELIVERY_RECEIPTS)
    if len(parts) > 1 or not all(map(is_compacted, parts)):
        query = f"from ({rows_of(storage, Table.DELIVERY_RECEIPTS, parts)}) "
        query += "qualify row_number() over (partition by event_id, event_name order by sent_at desc) = 1 "
        query += "order by event_time, event_id, event_name"
        storage.commit(connection, _new_key(ledger, Table.DELIVERY_RECEIPTS), query)
        storage.delete(parts)


def _compact_requests(storage: Storage, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    ledger.flush_requests()
    folder = ledger.folder(Table.DELIVERY_REQUESTS)
    journals = [f"{folder}/{name}" for name in storage.names(folder) if name.endswith(".ndjson")]
    parts = ledger.files(Table.DELIVERY_REQUESTS)
    if journals or len(parts) > 1:
        query = rows_of(storage, Table.DELIVERY_REQUESTS, parts)
        if journals:
            lines = storage.scan_json(journals, TABLES[Table.DELIVERY_REQUESTS])
            query = f"({query}) union all by name from {lines}"
        query = f"from ({query}) where request_id is not null qualify row_number() over (partition by request_id) = 1"
        storage.commit(connection, _new_key(ledger, Table.DELIVERY_REQUESTS), query)
        storage.delete([*journals, *parts])


def _drop_settled_intents(storage: Storage, connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
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
    storage.delete(ledger.intent(batch_id) for (batch_id,) in settled)


def _new_key(ledger: Ledger, table: Table) -> str:
    return f"{ledger.folder(table)}/data-{uuid.uuid4().hex[:16]}.parquet"
