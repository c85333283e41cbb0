"""Reading of stored payloads, of which older versions wrote fewer columns."""

from collections.abc import Iterable

from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Storage


def payload_rows(storage: Storage, keys: Iterable[str], *, hive: bool = False, options: str = "") -> str:
    """Return the query of the rows of partitions of `conversion_payloads`, with all columns of today.

    A column that a partition lacks is null: the payloads of a pruned hour cannot be made again.

    Args:
        storage: of the lake.
        keys: of the partitions.
        hive: have the column `hour`.
        options: more of `Storage.scan`.
    """
    stored = storage.scan(keys, hive=hive, by_name=True, options=options)
    return f"{sql('payload_columns')} union all by name from {stored}"
