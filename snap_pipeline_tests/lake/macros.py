"""Helpers for tests of single SQL macros, without a lake."""

import atexit
from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
from hypothesis import settings
from hypothesis import strategies as st

from snap_pipeline.lake.lake import sql
from snap_pipeline.lake.phone_numbers import register

MACRO_FILES = (
    "normalize",
    "blanks",
    "phone_patterns",
    "phones",
    "plaintext",
    "places",
    "ip_addresses",
    "values",
    "names",
    "urls",
)

many_rows = settings(max_examples=30, derandomize=True, deadline=None)
"""Few examples, since each is a column of values; derandomized, so that runs do not differ."""

texts = st.lists(st.text() | st.none(), max_size=20)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """Return a connection with the macros, loaded in order."""
    connection = duckdb.connect()
    # Nanobind complains about a connection with Python's functions that is open when the interpreter ends.
    atexit.register(connection.close)
    register(connection)
    for name in MACRO_FILES:
        connection.execute(sql(f"macros/{name}"))
    return connection


def call(macro: str, *arguments: str | None) -> Any:
    """Return the result of a macro for one set of arguments."""
    placeholders = ", ".join("?::varchar" for _ in arguments)
    return connection().execute(f"select {macro}({placeholders})", arguments).fetchall()[0][0]


def call_each(expression: str, values: Sequence[str | None]) -> list[Any]:
    """Return the results of an expression over the column `text`, for each value."""
    query = f"select {expression} from (select unnest(?::varchar[]) as text)"
    return [row[0] for row in connection().execute(query, [list(values)]).fetchall()]
