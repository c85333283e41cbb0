"""Counts what a piece of work does instead of timing it: the same on every machine, however busy.

DuckDB's own log says which files it opened, how much it read and which queries it ran; Python's audit events say what
was opened beside it; SQLAlchemy's say what was asked of the state database.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from snap_pipeline.lake.lake import Lake


@dataclass
class Operations:
    """What was done, so far."""

    queries: int = 0
    """That DuckDB ran."""
    scans: int = 0
    """The number of files that these queries name: a query can hold thousands of them."""
    files: int = 0
    """That DuckDB opened, to read or to write; how often it opens the same file again is its own affair."""
    bytes_read: int = field(default=0, compare=False)
    """By DuckDB, which reads some parts of a file twice or not at all, as it happens to plan."""
    opened: int = 0
    """Files and folders that Python opened or listed."""
    statements: int = 0
    """That the state database ran."""


_watching: list[Operations] = []


def _on_audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in ("open", "os.listdir", "os.scandir"):
        _watching[-1].opened += 1


sys.addaudithook(_on_audit)  # a hook cannot be taken off again; without a watcher it does nothing


class _Watched:
    """A DuckDB database that writes a log, which is read before the database is closed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, operations: Operations) -> None:
        self._connection, self._operations = connection, operations
        self._is_counted = False
        connection.execute(
            "set enabled_log_types = 'FileSystem,QueryLog'; set logging_mode = 'enable_selected'; "
            "set logging_level = 'trace'; set enable_logging = true"
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        self.count()
        self._connection.close()

    def count(self) -> None:
        """Adds what the log says, once."""
        if self._is_counted:
            return
        self._is_counted = True
        self._connection.execute("set enable_logging = false")
        row = self._connection.execute(
            """
            select
                (select count(*) from duckdb_logs where type = 'QueryLog'),
                (
                    select coalesce(sum(len(regexp_extract_all(message, 'read_[a-z_]+\\('))), 0)
                    from duckdb_logs where type = 'QueryLog'
                ),
                count(distinct path) filter (op = 'OPEN'),
                coalesce(sum(bytes) filter (op = 'READ'), 0)
            from duckdb_logs_parsed('FileSystem')
            """
        ).fetchone()
        assert row is not None
        self._operations.queries += row[0]
        self._operations.scans += row[1]
        self._operations.files += row[2]
        self._operations.bytes_read += row[3]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operations]:
    """Counts while the block runs; the numbers of DuckDB are there when it ends."""
    operations, opened = Operations(), Lake._open
    databases: list[_Watched] = []

    def watched(lake: Lake) -> _Watched:
        databases.append(_Watched(opened(lake), operations))
        return databases[-1]

    def count_statement(*_: object) -> None:
        operations.statements += 1

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_open", watched)
        sa.event.listen(sa.Engine, "before_cursor_execute", count_statement)
        _watching.append(operations)
        try:
            yield operations
        finally:
            _watching.remove(operations)
            sa.event.remove(sa.Engine, "before_cursor_execute", count_statement)
            for database in databases:
                database.count()
