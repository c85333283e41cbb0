"""Helpers for tests of single SQL macros, without a lake."""

import atexit
from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
from hypothesis import settings
from hypothesis import strategies as st

from snap_pipeline.lake.macros import attach, use
from snap_pipeline_tests.project import macro_folder

many_rows = settings(max_examples=30, derandomize=True, deadline=None)
"""Few examples, since each is a column of values; derandomized, so that runs do not differ."""

texts = st.lists(st.text() | st.none(), max_size=20)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """Return a connection with the macros."""
    connection = duckdb.connect()
    # Nanobind complains about a connection with Python's functions that is open when the interpreter ends.
    atexit.register(connection.close)
    attach(connection, macro_folder())
    use(connection)
    return connection


def call(macro: str, *arguments: str | None) -> Any:
    """Return the result of a macro for one set of arguments."""
    placeholders = ", ".join("?::varchar" for _ in arguments)
    return connection().execute(f"select {macro}({placeholders})", arguments).fetchall()[0][0]


def call_each(expression: str, values: Sequence[str | None]) -> list[Any]:
    """Return the results of an expression over the column `text`, for each value."""
    query = f"select {expression} from (select unnest(?::varchar[]) as text)"
    return [row[0] for row in connection().execute(query, [list(values)]).fetchall()]
