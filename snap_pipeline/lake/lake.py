"""The lake: one Parquet object for each table and hour, and DuckDB to make and read them.

How objects are kept is `storage.py`; what they hold is decided by the SQL beside this module.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.storage import Storage, Table, literal, partition

PRUNED_NOTE = "_pruned.json"
"""The note of a pruned hour; it begins with `_`, so that other readers of the folder do not take it for data."""
EARLIER_PRUNED_NOTE = "pruned.json"
"""Its name in hours that an earlier version pruned."""

DISABLED_OPTIMIZERS = "in_clause"
"""Constant lists are tested value by value: as joins, they cost a small hour more than all its other work."""
JOIN_OPTIMIZERS = "join_order,build_side_probe_side"

MACRO_FILES = (
    "normalize",
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
    "identity",
    "consent",
)
"""In load order: a macro may use those of an earlier file."""


@cache
def sql(name: str) -> str:
    """Return the text of `lake/sql/<name>.sql`."""
    return resources.files("snap_pipeline.lake").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


class Lake:
    """The tables under one folder.

    Args:
        root: the folder; made when it is first written to.
        memory_limit: DuckDB's, such as `1500MB`; what does not fit spills to disk under the root.
        threads: DuckDB's, for each database.
    """

    def __init__(self, root: Path, *, memory_limit: str, threads: int) -> None:
        self.storage = Storage(root)
        self._config = {"memory_limit": memory_limit, "threads": str(threads)}
        self._order_kept = Lock()

    def hours_with_current_payloads(
        self, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
    ) -> set[datetime]:
        """Return the hours whose payloads derive from the raw events that are there, and not from an earlier reading.

        Both partitions note which reading of the landing files they are of. Times would not tell: a copy or an object
        store may keep whole seconds alone.
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
        # Of an earlier version, which noted no reading.
        return not self.storage.is_older(payloads, raw)

    def pruned_note(self, hour: datetime) -> str:
        """Return the key of the note that an hour whose events were deleted has, with how many it had."""
        folder = f"{Table.RAW_EVENTS}/hour={format_hour(hour)}"
        earlier = f"{folder}/{EARLIER_PRUNED_NOTE}"
        return earlier if self.storage.exists(earlier) else f"{folder}/{PRUNED_NOTE}"

    def is_pruned(self, hour: datetime) -> bool:
        """Tell whether the events of an hour were deleted, so that it cannot be made again (see `retention.py`)."""
        return self.storage.exists(self.pruned_note(hour))

    def pruned_hours(self) -> list[datetime]:
        """Return the hours whose events were deleted, in order."""
        names = (PRUNED_NOTE, EARLIER_PRUNED_NOTE)
        return sorted({hour for name in names for hour in self.storage.hours(Table.RAW_EVENTS, name=name)})

    def pruned_events(self, hour: datetime) -> Mapping[str, int]:
        """Return how many raw events a pruned hour had, by workspace; nothing for any other hour."""
        note = self.storage.read(self.pruned_note(hour))
        return dict(json.loads(note)) if note else {}

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB database of its own in memory, in UTC; its tables are seen by all cursors of the connection.

        Raises:
            LakeError: DuckDB could not read or write a file, or ran out of disk or memory.
            DamagedPartition: a file of the lake is no whole Parquet file.
        """
        with self._explained(), closing(self._open()) as connection:
            yield connection

    @contextmanager
    def connect_with_macros(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that knows the project's macros; what it makes must be temporary, the mappings apart.

        The macros take longer to load than a small hour takes to make, so that a process loads them once.

        Raises:
            LakeError: as `connect`.
        """
        with self._explained(), closing(self._with_macros.cursor()) as connection:
            yield connection

    @cached_property
    def _with_macros(self) -> duckdb.DuckDBPyConnection:
        connection = self._open()
        self._set(connection, disabled_optimizers=DISABLED_OPTIMIZERS)
        for name in MACRO_FILES:
            connection.execute(sql(f"macros/{name}"))
        return connection

    @contextmanager
    def keeping_order(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Within it, rows stay in the order of the first table of a statement, through its joins as well.

        DuckDB promises that of no join. Where one thread probes, and tables are joined as they are written, it is so
        as long as the tables that are looked up in fit into memory, and takes a quarter of what it takes to sort wide
        rows afterwards. All connections that know the macros share these settings meanwhile.
        """
        with self._order_kept:
            self._set(connection, threads="1", disabled_optimizers=f"{DISABLED_OPTIMIZERS},{JOIN_OPTIMIZERS}")
            try:
                yield
            finally:
                # Of its own, since the given one may be in a transaction that failed.
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
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise  # of the pipe that a command prints to, whose reader has seen enough
        except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
            raise LakeError(f"The lake at {self.storage.location} could not be used: {_first_line(error)}") from error
        except duckdb.Error as error:
            damaged = self.storage.damaged(str(error))
            if damaged is None:
                raise
            raise damaged from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
