"""Operation counts of a piece of work, in place of timings: the same on every machine, however busy.

The files, bytes and queries of DuckDB come from its log, other files from Python's audit events, and statements of the
state database from SQLAlchemy's events.
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
    """The operations so far."""

    queries: int = 0
    """Queries that DuckDB ran."""
    scans: int = 0
    """Files that these queries name: a query can name thousands of them."""
    files: int = 0
    """Files that DuckDB opened, to read or to write, each counted once."""
    bytes_read: int = field(default=0, compare=False)
    """Bytes that DuckDB read; not compared, since it reads some parts of a file twice, depending on its plan."""
    opened: int = 0
    """Files and folders that Python opened or listed."""
    statements: int = 0
    """Statements that the state database ran."""


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
        """Add the log's counts, once."""
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
    """Count the operations of the block; those of DuckDB are complete when it ends."""
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
