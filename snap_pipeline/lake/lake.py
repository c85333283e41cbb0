"""The lake: one Parquet object for each table and hour, and the DuckDB connections that write and read them.

`storage.py` keeps the objects; the SQL files in `sql/` decide their content.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import finalize

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake import macros
from snap_pipeline.lake.storage import Storage, Table, literal, partition

PRUNED_NOTE = "_pruned.json"
"""File name of a pruned hour's note; the `_` keeps other readers of the folder from taking it for data."""
EARLIER_PRUNED_NOTE = "pruned.json"
"""File name of the note in hours that an earlier version pruned."""

DISABLED_OPTIMIZERS = "in_clause"
"""Off, so that constant lists are tested value by value: as joins, they cost a small hour more than all other work."""
JOIN_OPTIMIZERS = "join_order,build_side_probe_side"


class Lake:
    """The tables under one folder.

    Args:
        root: the folder; made when it is first written to.
        memory_limit: DuckDB's limit, such as `1500MB`; data beyond it spills to disk below the root.
        threads: the number of threads of each DuckDB database.
    """

    def __init__(self, root: Path, *, memory_limit: str, threads: int) -> None:
        self.storage = Storage(root)
        self._config = {"memory_limit": memory_limit, "threads": str(threads)}
        self._order_lock = Lock()

    def hours_with_current_payloads(
        self, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
    ) -> set[datetime]:
        """Return the hours whose payloads derive from the current raw events, and not from an earlier reading.

        Both partitions note the reading of the landing files that they derive from. Modification times would not do: a
        copy or an object store may keep whole seconds alone.
        """
        derived = {
            hour: (partition(Table.RAW_EVENTS, hour), partition(Table.CONVERSION_PAYLOADS, hour)) for hour in hours
        }
        notes = self.storage.notes_of(connection, (key for keys in derived.values() for key in keys))
        return {
            hour
            for hour, (raw, payloads) in derived.items()
            if raw in notes and payloads in notes and self._is_of_reading(payloads, raw, notes)
        }

    def _is_of_reading(self, payloads: str, raw: str, notes: Mapping[str, Mapping[str, Any]]) -> bool:
        if "reading" in notes[raw]:
            return bool(notes[payloads].get("reading") == notes[raw]["reading"])
        # Written by an earlier version, which noted no reading.
        return not self.storage.is_older(payloads, raw)

    def pruned_note(self, hour: datetime) -> str:
        """Return the key of a pruned hour's note, which holds the number of its raw events."""
        folder = f"{Table.RAW_EVENTS}/hour={format_hour(hour)}"
        earlier = f"{folder}/{EARLIER_PRUNED_NOTE}"
        return earlier if self.storage.exists(earlier) else f"{folder}/{PRUNED_NOTE}"

    def is_pruned(self, hour: datetime) -> bool:
        """Tell whether an hour was pruned: its events are deleted and it cannot be made again (see `retention.py`)."""
        return self.storage.exists(self.pruned_note(hour))

    def pruned_hours(self) -> list[datetime]:
        """Return the pruned hours, in order."""
        names = (PRUNED_NOTE, EARLIER_PRUNED_NOTE)
        return sorted({hour for name in names for hour in self.storage.hours(Table.RAW_EVENTS, name=name)})

    def pruned_events(self, hour: datetime) -> Mapping[str, int]:
        """Return the number of raw events that a pruned hour had, by workspace; empty for any other hour."""
        note = self.storage.read(self.pruned_note(hour)) if self.is_pruned(hour) else None
        return dict(json.loads(note)) if note else {}

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a new in-memory DuckDB database in UTC; all cursors of the connection share its tables.

        Raises:
            LakeError: DuckDB could not read or write a file, or ran out of disk or memory.
            DamagedPartition: a file of the lake is not a complete Parquet file.
        """
        with self._translated_errors(), closing(self._open()) as connection:
            yield connection

    @contextmanager
    def connect_with_macros(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a connection with the project's macros. Create only temporary tables in it; mappings are the exception.

        Raises:
            LakeError: as `connect`.
        """
        with self._translated_errors(), closing(self._with_macros.cursor()) as connection:
            macros.use(connection)
            yield connection

    @cached_property
    def _with_macros(self) -> duckdb.DuckDBPyConnection:
        connection = self._open()
        self._set(connection, disabled_optimizers=DISABLED_OPTIMIZERS)
        # A connection with Python's functions has to be closed before the interpreter ends.
        finalize(self, connection.close)
        macros.attach(connection, self.storage.path(macros.FOLDER))
        return connection

    @contextmanager
    def keeping_order(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Keep rows in the order of the first table of a statement inside the block, also through joins.

        DuckDB does not promise this for joins. With one thread, and joins executed as written, the order holds as long
        as the joined tables fit into memory, and takes a quarter of the time of sorting wide rows afterwards. All
        connections with macros share these settings meanwhile.
        """
        with self._order_lock:
            self._set(connection, threads="1", disabled_optimizers=f"{DISABLED_OPTIMIZERS},{JOIN_OPTIMIZERS}")
            try:
                yield
            finally:
                # On another cursor, since the given connection may be in a failed transaction.
                with closing(self._with_macros.cursor()) as other:
                    self._set(other, threads=self._config["threads"], disabled_optimizers=DISABLED_OPTIMIZERS)

    @staticmethod
    def _set(connection: duckdb.DuckDBPyConnection, **settings: str) -> None:
        for name, value in settings.items():
            connection.execute(f"set global {name} = {literal(value)}")

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={**self._config, "temp_directory": self.storage.spill_folder})
        connection.execute("set global TimeZone = 'UTC'")
        return connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise  # the reader of a command's output has closed the pipe
        except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
            raise LakeError(f"The lake at {self.storage.location} could not be used: {_first_line(error)}") from error
        except duckdb.Error as error:
            damaged = self.storage.damaged(str(error))
            if damaged is None:
                raise
            raise damaged from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
