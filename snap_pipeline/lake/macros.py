"""The project's SQL macros, kept as a DuckDB database that connections attach.

DuckDB binds a macro when it is created, and with it the macros that it uses: half a second for all of them, longer than
a small hour takes. From a database file they are there in 25 ms, so one is made for each version of the macros.
"""

import hashlib
from contextlib import closing
from functools import cache
from pathlib import Path

import duckdb

from snap_pipeline.files import atomic_write, names_in, new_draft
from snap_pipeline.lake import phone_numbers
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import literal

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
    "json",
    "payload",
    "products",
    "orders",
    "travel",
    "identity",
    "consent_strings",
    "consent_forms",
    "consent",
    "devices",
    "spellings",
)
"""Files of macros in load order: a macro may use those of an earlier file."""

FOLDER = ".macros"
"""The folder of the lake that keeps the database; whoever deletes it loses nothing."""


def attach(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Attach the macros, after making their database where it is missing or damaged; cursors find them after `use`.

    Whoever may not write to the folder creates the macros in memory.

    Args:
        connection: to an in-memory database.
        folder: keeps the database.
    """
    phone_numbers.register(connection)
    path = folder / f"{_version()}.duckdb"
    try:
        _attach(connection, path)
    except duckdb.Error:
        try:
            _make(path)
            _attach(connection, path)
        except (OSError, duckdb.IOException):
            connection.execute("attach ':memory:' as macros")
            connection.execute("set search_path = 'macros.main'")
            _create(connection)


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    connection.execute(f"attach {literal(path)} as macros (read_only)")


def use(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection or cursor call attached macros by their names alone."""
    connection.execute("set search_path = 'memory.main,macros.main'")


@cache
def _version() -> str:
    texts = (duckdb.__version__, *(sql(f"macros/{name}") for name in MACRO_FILES))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _make(path: Path) -> None:
    """Write the database atomically, in place of those of other versions."""
    with atomic_write(path, new_draft(path.parent, path)) as draft, closing(duckdb.connect(draft)) as connection:
        phone_numbers.register(connection)
        _create(connection)
    for name in names_in(path.parent):
        if name.endswith(path.suffix) and name != path.name:
            (path.parent / name).unlink(missing_ok=True)


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    for name in MACRO_FILES:
        connection.execute(sql(f"macros/{name}"))
