"""The lake: one Parquet file for each table and hour, replaced atomically, and DuckDB to make and read them.

Here is where files lie and how one is replaced. What stands in them is decided by the SQL beside this module.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.damage import DamagedPartition, damaged_partition
from snap_pipeline.lake.drafts import SPILL_FOLDER, new_draft

COMPRESSION = "zstd, compression_level 1"
"""The higher levels take a third longer, and make wide rows of digests and short texts no smaller."""

ROW_GROUP_ROWS = 20_480
"""Small enough that a partition of wide rows can be streamed through a bounded amount of memory."""

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
    """The text of `lake/sql/<name>.sql`."""
    return resources.files("snap_pipeline.lake").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def literal(value: object) -> str:
    """A text or path as an SQL literal, for places where DuckDB takes no parameter."""
    return "'" + str(value).replace("'", "''") + "'"


class Lake:
    """The tables under one folder.

    Args:
        root: the folder; made when it is first written to.
        memory_limit: DuckDB's, such as `1500MB`; what does not fit spills to disk under the root.
        threads: DuckDB's, for each database.
    """

    def __init__(self, root: Path, *, memory_limit: str, threads: int) -> None:
        self.root = root
        self._config = {"memory_limit": memory_limit, "threads": str(threads)}
        self._order_kept = Lock()

    def path(self, table: str, hour: datetime) -> Path:
        """Where the partition of a table lies, whether or not it exists."""
        return self.root / _partition(table, format_hour(hour))

    def hours(self, table: str) -> list[datetime]:
        """The hours of which a table has a partition, in order."""
        return sorted(
            parse_hour(file.parent.name.removeprefix("hour="))
            for file in (self.root / table).glob("hour=*/data.parquet")
        )

    def fingerprints(self, tables: Iterable[str], hour: datetime) -> dict[str, list[int] | None]:
        """What tells an hour's partitions from those that replace them, by table; None where there is none.

        `status` asks it of every hour, so that it makes no path of each.
        """
        root, key = str(self.root), format_hour(hour)
        return {table: file_fingerprint(f"{root}/{_partition(table, key)}") for table in tables}

    def hours_with_current_payloads(
        self, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
    ) -> set[datetime]:
        """The hours whose payloads were made from the raw events that are there, and not from an earlier reading.

        Both partitions note which reading of the landing files they are of. Times would not tell: a copy or an object
        store may keep whole seconds alone.
        """
        partitions = {
            hour: [self.path(table, hour) for table in ("raw_events", "conversion_payloads")] for hour in hours
        }
        notes = self.notes_of(connection, (path for paths in partitions.values() for path in paths))
        return {
            hour
            for hour, (raw, payloads) in partitions.items()
            if raw in notes and payloads in notes and _is_of_reading(payloads, notes[payloads], raw, notes[raw])
        }

    def pruned_note(self, hour: datetime) -> Path:
        """Where an hour whose events were deleted says so, and how many it had."""
        note = self.path("raw_events", hour).with_name(PRUNED_NOTE)
        earlier = note.with_name(EARLIER_PRUNED_NOTE)
        return earlier if earlier.exists() else note

    def is_pruned(self, hour: datetime) -> bool:
        """Whether the events of an hour were deleted, so that it cannot be made again (see `retention.py`)."""
        return self.pruned_note(hour).exists()

    def pruned_hours(self) -> list[datetime]:
        """The hours whose events were deleted, in order."""
        folders = self.root / "raw_events"
        notes = {note.parent for name in (PRUNED_NOTE, EARLIER_PRUNED_NOTE) for note in folders.glob(f"hour=*/{name}")}
        return sorted(parse_hour(folder.name.removeprefix("hour=")) for folder in notes)

    def pruned_events(self, hour: datetime) -> Mapping[str, int]:
        """How many raw events a pruned hour had, by workspace; nothing for any other hour."""
        return dict(json.loads(self.pruned_note(hour).read_text(encoding="utf-8"))) if self.is_pruned(hour) else {}

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
        connection = duckdb.connect(config={**self._config, "temp_directory": str(self.root / SPILL_FOLDER)})
        connection.execute("set global TimeZone = 'UTC'")
        return connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise  # of the pipe that a command prints to, whose reader has seen enough
        except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
            raise LakeError(f"The lake at {self.root} could not be used: {_first_line(error)}") from error
        except duckdb.Error as error:
            damaged = damaged_partition(self.root, str(error))
            if damaged is None:
                raise
            raise damaged from error

    def replace(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        query: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        compression: str = COMPRESSION,
    ) -> int:
        """Makes one Parquet file from a query, as a whole or not at all, and returns its number of rows.

        A reader sees the old file or the new one. `metadata` is kept in the file, as JSON by key. `compression` is
        DuckDB's option: `uncompressed` for what is read far more often than it is written.
        """
        notes = ", ".join(f"{key}: {literal(json.dumps(value))}" for key, value in (metadata or {}).items())
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = new_draft(self.root, path)
        try:
            connection.execute(
                f"copy ({query}) to {literal(draft)} (format parquet, compression {compression}, "
                f"row_group_size {ROW_GROUP_ROWS}, kv_metadata {{{notes}}})"
            )
            rows = connection.fetchone()
            make_durable(draft)
            draft.replace(path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return int(rows[0]) if rows else 0

    def notes(self, connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
        """What `replace` was given as metadata of a file; nothing where there is no file."""
        return self.notes_of(connection, [path]).get(path, {})

    def notes_of(self, connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> dict[Path, dict[str, Any]]:
        """The metadata of many files in one query; those that are not there are left out.

        Raises:
            DamagedPartition: a note is not as it was written.
        """
        files = [str(path) for path in paths if path.exists()]
        rows = (
            connection.execute(
                "select file_name, decode(key), decode(value) from parquet_kv_metadata($files)", {"files": files}
            ).fetchall()
            if files
            else []
        )
        notes: dict[Path, dict[str, Any]] = {Path(file): {} for file in files}
        for file, key, value in rows:
            try:
                notes[Path(file)][key] = json.loads(value)
            except ValueError as error:
                raise DamagedPartition(self.root, Path(file), f"its note {key} cannot be read") from error
        return notes

    def columns(self, path: Path) -> list[tuple[str, str]]:
        """Names and types of a file's columns."""
        with self.connect() as connection:
            rows = connection.execute(
                f"describe from read_parquet({literal(path)}, hive_partitioning = false)"
            ).fetchall()
        return [(name, kind) for name, kind, *_ in rows]


def file_fingerprint(path: Path | str) -> list[int] | None:
    """What tells a file from the one that replaces it; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a year of hours would be a year of paths to take apart
    except FileNotFoundError:
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _is_of_reading(payloads: Path, payload_notes: Mapping[str, Any], raw: Path, raw_notes: Mapping[str, Any]) -> bool:
    if "reading" in raw_notes:
        return bool(payload_notes.get("reading") == raw_notes["reading"])
    # Of an earlier version, which noted no reading.
    made, read = file_fingerprint(payloads), file_fingerprint(raw)
    return made is not None and read is not None and made[-1] >= read[-1]


def make_durable(path: Path) -> None:
    """Waits until a file's content is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _partition(table: str, key: str) -> str:
    return f"{table}/hour={key}/data.parquet"


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
