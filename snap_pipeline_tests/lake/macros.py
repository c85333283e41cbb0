"""Calls the SQL macros one at a time, as their tests do; nothing that makes or reads a lake."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
from hypothesis import settings
from hypothesis import strategies as st

from snap_pipeline.lake.lake import sql

MACRO_FILES = ("normalize", "phones", "plaintext", "places", "ip_addresses", "values", "names", "urls")

many_rows = settings(max_examples=30, derandomize=True, deadline=None)
"""An example is a column of values, so a few of them are enough. The same ones each time: no run differs."""

texts = st.lists(st.text() | st.none(), max_size=20)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """A connection with the macros, in their load order."""
    connection = duckdb.connect()
    for name in MACRO_FILES:
        connection.execute(sql(f"macros/{name}"))
    return connection


def call(macro: str, *arguments: str | None) -> Any:
    """What a macro gives for one set of arguments."""
    placeholders = ", ".join("?::varchar" for _ in arguments)
    return connection().execute(f"select {macro}({placeholders})", arguments).fetchall()[0][0]


def call_each(expression: str, values: Sequence[str | None]) -> list[Any]:
    """What an expression over the column `text` gives for each value."""
    query = f"select {expression} from (select unnest(?::varchar[]) as text)"
    return [row[0] for row in connection().execute(query, [list(values)]).fetchall()]
