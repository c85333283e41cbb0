"""Quarantine (dead letter) of events on which a set-based step fails, so that their hour goes on.

A step runs on all events first. Only if that fails, bisection finds the events at fault. They move from `raw_events` to
`quarantined_lines`, with file and line. When the hour's files are read again, the events are tried again, and stay if
the code can process them by then.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import duckdb

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.raw import lines_of_events
from snap_pipeline.lake.row_errors import DATA_ERRORS, rows_that_fail
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.reasons import Quarantine


def unprocessable_rows(
    connection: duckdb.DuckDBPyConnection, table: str, key: str, make: Callable[[], object]
) -> list[int]:
    """Return the keys of the rows on which a step fails, and replace `table` by a view of the other rows.

    Args:
        connection: has `table` as a temporary view or table.
        table: the step's input.
        key: a column that numbers its rows.
        make: runs the step on the current `table`.

    Raises:
        duckdb.Error: the input cannot be read, or the step fails even without any event.
    """
    connection.execute(f"create or replace temp table all_rows as from {table}")
    connection.execute(f"drop table if exists temp.{table}" if _is_table(connection, table) else "select 1")
    keys = [value for (value,) in connection.execute(f"select {key} from all_rows order by {key}").fetchall()]

    def show(condition: str) -> None:
        connection.execute(f"create or replace temp view {table} as from all_rows where {condition}")

    def fails(first: int, end: int) -> bool:
        show(f"{key} between {keys[first]} and {keys[end - 1]}")
        try:
            make()
        except DATA_ERRORS:
            return True
        return False

    show("false")
    make()
    found = [keys[position] for position in rows_that_fail(len(keys), fails)]
    show(f"{key} not in ({', '.join(map(str, found))})" if found else "true")
    return found


def quarantine_events(lake: Lake, landing: LandingZone, hour: datetime, rows: Sequence[int]) -> None:
    """Move rows of an hour's `raw_events` to `quarantined_lines`; both are replaced, `raw_events` last."""
    raw_events, quarantine = partition(Table.RAW_EVENTS, hour), partition(Table.QUARANTINED_LINES, hour)
    numbers = ", ".join(map(str, rows))
    source = lake.storage.scan([raw_events], options="file_row_number = true")
    with lake.connect_with_macros() as connection:
        places = connection.execute(
            f"""
            select workspace, source_file, place
            from (
                select *, row_number() over (partition by source_file order by file_row_number) as place from {source}
            )
            where file_row_number in ({numbers})
            """
        ).fetchall()
        connection.execute(f"create or replace temp table moved as from {lake.storage.scan([quarantine])}")
        for source_file in sorted({name for _, name, _ in places}):
            lines = lines_of_events(lake, landing, hour, source_file)
            for workspace, name, place in places:
                if name == source_file:
                    line = lines[place - 1] if place <= len(lines) else None
                    values = [workspace, name, line, Quarantine.UNPROCESSABLE]
                    connection.execute("insert into moved values (?, ?, ?, ?)", values)
        notes = lake.storage.notes(connection, raw_events) | {"reading": uuid.uuid4().hex}
        lake.storage.commit(connection, quarantine, "from moved order by all")
        kept = f"select * exclude (file_row_number) from {source} where file_row_number not in ({numbers})"
        lake.storage.commit(connection, raw_events, kept, metadata=notes)


def _is_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    row = connection.execute(
        "select count(*) from duckdb_tables() where temporary and table_name = ?", [name]
    ).fetchone()
    return bool(row and row[0])
