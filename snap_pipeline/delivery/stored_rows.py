"""The number of rows that the lake stores of a delivery table's hour, whichever runs wrote them."""

from datetime import datetime

from snap_pipeline.delivery.ledger import TABLES, retry_during_compaction, rows_of_all
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, partition


def stored_rows(lake: Lake, table: Table, hour: datetime) -> int:
    """Count the rows of a delivery table's hour, of all destinations; 0 where nothing is stored."""
    storage, key = lake.storage, partition(table, hour)
    rows = 0

    with lake.connect() as connection:

        def count() -> None:
            nonlocal rows
            source = f"({rows_of_all(storage, table, hour)})" if table in TABLES else storage.scan([key])
            row = connection.execute(f"select count(*) from {source}").fetchone()
            rows = row[0] if row else 0

        if table in TABLES or storage.exists(key):
            retry_during_compaction(count)
    return rows
