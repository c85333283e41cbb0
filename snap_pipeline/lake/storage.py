"""Storage of the lake, the only module that knows that its objects are files (a test enforces that).

All other code names an object by its key, such as `raw_events/hour=2026-11-23T14/data.parquet`. The interface requires
no more than an object store offers, so that one can replace the file system: an object appears whole under its key and
is durable when the call returns, a listing shows it, and replacing it changes its fingerprint. It has no rename, no
append and no lock. Objects of one key are never written by two processes that must both survive.
"""

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from snap_pipeline.files import SPILL_FOLDER, atomic_write, is_same_moment, names_in, new_draft
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.damage import NAMED_FILE, NAMES_NO_FILE, DamagedPartition

COMPRESSION = "zstd, compression_level 1"
"""Level 1: higher levels take a third longer, and do not make wide rows of digests and short texts smaller."""

ROW_GROUP_ROWS = 20_480
"""Row group size: small enough that a partition of wide rows streams through a bounded amount of memory."""


class Table(StrEnum):
    """The tables of the lake that have a partition for each hour."""

    RAW_EVENTS = "raw_events"
    QUARANTINED_LINES = "quarantined_lines"
    IDENTITY_LINKS = "identity_links"
    FILTERED_EVENTS = "filtered_events"
    EXCLUDED_EVENTS = "excluded_events"
    CONVERSION_PAYLOADS = "conversion_payloads"
    PARAMETER_COMPLETENESS = "parameter_completeness"
    DISPATCHED_BATCHES = "dispatched_batches"
    DELIVERY_RECEIPTS = "delivery_receipts"
    DELIVERY_INTENTS = "delivery_intents"
    DELIVERY_REQUESTS = "delivery_requests"
    SNAP_SCORE_ANSWERS = "snap_score_answers"
    """Asked for once a day, and kept under the first hour of the day."""


Fingerprint = Sequence[int]
"""Changes when an object is replaced, and survives a copy of the lake. An opaque value, only for `is_same_version`."""


def is_same_version(noted: Fingerprint | None, current: Fingerprint | None) -> bool:
    """Tell whether an object is still the one whose fingerprint was noted; None stands for no object.

    Earlier versions of the program noted the inode as well, first. It is not compared: a copy has another one.
    """
    if not noted or not current:
        return not noted and not current
    return noted[-2] == current[-2] and is_same_moment(noted[-1], current[-1])


def partition(table: Table, hour: datetime) -> str:
    """Return the key of a table's partition."""
    return f"{table}/hour={format_hour(hour)}/data.parquet"


def ledger_folder(table: Table, hour: datetime, destination_id: str) -> str:
    """Return the prefix of the ledger's objects of one destination and hour."""
    return f"{table}/hour={format_hour(hour)}/destination={destination_id}"


def mart(name: str) -> str:
    """Return the key of a mart, or of another table without hours."""
    return f"{name}/data.parquet"


def hour_of(key: str) -> datetime:
    """Return the hour of a partition, from its key."""
    return parse_hour(key.split("/hour=", 1)[1].split("/", 1)[0])


class Storage:
    """The objects below one folder.

    Args:
        root: the folder; made when it is first written to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefix = f"{root}/"

    @property
    def location(self) -> str:
        """The location of the lake, as users know it."""
        return str(self._root)

    @property
    def spill_folder(self) -> str:
        """The folder to which DuckDB may spill memory."""
        return str(self._root / SPILL_FOLDER)

    def path(self, key: str) -> Path:
        """Return the path of an object, whether or not it exists, for people and their tools."""
        return self._root / key

    def stored_path(self, table: Table, hour: datetime) -> Path | None:
        """Return the file of a table's hour, or the folder of its files by destination; None if there are none."""
        path = self.path(partition(table, hour))
        if path.exists():
            return path
        return path.parent if any(path.parent.glob("destination=*/*.parquet")) else None

    # Reading

    def exists(self, key: str) -> bool:
        """Tell whether there is an object.

        Raises:
            OSError: that cannot be found out. It must not pass for an answer: an hour whose events were pruned would
                be made again, from nothing.
        """
        return self.fingerprint(key) is not None

    def existing(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of the objects that are there, in the order given."""
        return [key for key in keys if self.exists(key)]

    def fingerprint(self, key: str) -> Fingerprint | None:
        """Return an object's fingerprint; None where there is none."""
        try:
            status = os.stat(self._prefix + key)  # noqa: PTH116 - called for every hour; building a Path is slower
        except (FileNotFoundError, NotADirectoryError):
            return None
        return [status.st_size, status.st_mtime_ns]

    def is_older(self, key: str, other: str) -> bool:
        """Tell whether an object was written before another one; for partitions of versions that noted no reading."""
        mine, others = self.fingerprint(key), self.fingerprint(other)
        return mine is None or others is None or mine[-1] < others[-1]

    def names(self, prefix: str) -> list[str]:
        """Return the names directly below a prefix; none where there is nothing."""
        return names_in(self._prefix + prefix)

    def hours(self, table: Table, *, name: str = "data.parquet") -> list[datetime]:
        """Return the hours of which a table has an object of a name, in order."""
        folders = (folder for folder in self.names(table) if folder.startswith("hour="))
        return sorted(
            parse_hour(folder.removeprefix("hour=")) for folder in folders if self.exists(f"{table}/{folder}/{name}")
        )

    def tables(self) -> list[str]:
        """Return the names of everything that holds data: tables and marts."""
        return sorted(name for name in self.names("") if not name.startswith(".") and (self._root / name).is_dir())

    def newest(self, table: str, besides: Collection[str] = ()) -> str | None:
        """Return the key of a mart, or of an object of a table's newest hour; None where there is none."""
        if self.exists(mart(table)):
            return None if mart(table) in besides else mart(table)
        for folder in sorted((name for name in self.names(table) if name.startswith("hour=")), reverse=True):
            for path in sorted((self._root / table / folder).glob("**/*.parquet")):
                key = path.relative_to(self._root).as_posix()
                if key not in besides:
                    return key
        return None

    def read(self, key: str) -> str | None:
        """Return an object's text; None where there is none."""
        try:
            return (self._root / key).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def scan(self, keys: Iterable[str], *, hive: bool = False, by_name: bool = False, options: str = "") -> str:
        """Return SQL that reads Parquet objects, such as `read_parquet(['…'])`.

        Args:
            keys: of the objects, in the order of the rows.
            hive: have the key's parts as columns too: `hour` as text, `destination`.
            by_name: match the columns of objects by name, since versions differ in them.
            options: more of DuckDB's, such as `file_row_number = true`.
        """
        files = ", ".join(literal(self._prefix + key) for key in keys)
        given = [
            "hive_partitioning = true, hive_types = {'hour': varchar}" if hive else "hive_partitioning = false",
            "union_by_name = true" if by_name else "",
            options,
        ]
        return f"read_parquet([{files}], {', '.join(filter(None, given))})"

    def scan_all(self, table: str) -> str:
        """Return SQL that reads a whole table or mart, as it is when the query runs."""
        pattern = mart(table) if self.exists(mart(table)) else f"{table}/hour=*/**/*.parquet"
        return self._scan_pattern(pattern)

    def scan_one(self, key: str) -> str:
        """Return SQL that reads one object with the columns of `scan_all`."""
        return self._scan_pattern(key)

    def _scan_pattern(self, pattern: str) -> str:
        return (
            f"read_parquet({literal(self._prefix + pattern)}, hive_partitioning = true, "
            "hive_types_autocast = false, union_by_name = true)"
        )

    def scan_json(self, keys: Iterable[str], columns: Mapping[str, str]) -> str:
        """Return SQL that reads objects of JSON lines; broken lines are rows of nulls."""
        files = ", ".join(literal(self._prefix + key) for key in keys)
        kinds = ", ".join(f"{name}: {literal(kind)}" for name, kind in columns.items())
        return f"read_json([{files}], format = 'newline_delimited', columns = {{{kinds}}}, ignore_errors = true)"

    def key_of(self, file_name: str) -> str:
        """Return the key of a file that DuckDB names."""
        return file_name.removeprefix(self._prefix)

    def notes(self, connection: duckdb.DuckDBPyConnection, key: str) -> dict[str, Any]:
        """Return the notes (the metadata given to `commit`) of an object; empty if it does not exist."""
        return self.notes_of(connection, [key]).get(key, {})

    def notes_of(self, connection: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the notes of many objects with one query, without objects that do not exist.

        Raises:
            DamagedPartition: a note is corrupt.
        """
        found: dict[str, dict[str, Any]] = {key: {} for key in self.existing(keys)}
        rows = (
            connection.execute(
                "select file_name, decode(key), decode(value) from parquet_kv_metadata($files)",
                {"files": [self._prefix + key for key in found]},
            ).fetchall()
            if found
            else []
        )
        for file, name, value in rows:
            key = self.key_of(file)
            try:
                found[key][name] = json.loads(value)
            except ValueError as error:
                raise DamagedPartition(key, self.path(key), f"its note {name} cannot be read") from error
        return found

    def columns(self, connection: duckdb.DuckDBPyConnection, key: str) -> list[tuple[str, str]]:
        """Return the names and types of an object's columns."""
        rows = connection.execute(f"describe from {self.scan([key])}").fetchall()
        return [(name, kind) for name, kind, *_ in rows]

    def schemas(self, keys: Iterable[str]) -> str:
        """Return SQL that yields `file_name` and the schema of objects, as DuckDB's `parquet_schema` does."""
        return f"parquet_schema([{', '.join(literal(self._prefix + key) for key in keys)}])"

    # Writing

    def commit(
        self,
        connection: duckdb.DuckDBPyConnection,
        key: str,
        query: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        compression: str = COMPRESSION,
        durable: bool = True,
    ) -> int:
        """Write one Parquet object from a query atomically, and return its number of rows.

        Args:
            connection: runs the query.
            key: the object's key; an existing object is replaced.
            query: the query of its rows.
            metadata: notes to store in it, as JSON by name.
            compression: DuckDB's option; `uncompressed` for objects that are read far more often than written.
            durable: see `files.atomic_write`.

        Raises:
            duckdb.Error: of the query.
            OSError: the object cannot be written.
        """
        notes = ", ".join(f"{name}: {literal(json.dumps(value))}" for name, value in (metadata or {}).items())
        path = self._root / key
        with atomic_write(path, new_draft(self._root, path), durable=durable) as draft:
            connection.execute(
                f"copy ({query}) to {literal(draft)} (format parquet, compression {compression}, "
                f"row_group_size {ROW_GROUP_ROWS}, kv_metadata {{{notes}}})"
            )
            # The kernel's own times may be milliseconds coarse, so that two objects of one size could look the same.
            written_at = time.time_ns()
            os.utime(draft, ns=(written_at, written_at))
            rows = connection.fetchone()
        return int(rows[0]) if rows else 0

    def put(self, key: str, text: str, *, durable: bool = True) -> None:
        """Write an object of text atomically.

        Raises:
            OSError: it cannot be written.
        """
        path = self._root / key
        with atomic_write(path, new_draft(self._root, path), durable=durable) as draft:
            draft.write_text(text, encoding="utf-8")

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are ignored."""
        folders = set()
        for key in keys:
            path = self._root / key
            path.unlink(missing_ok=True)
            folders.add(path.parent)
        for folder in folders:
            # An empty folder would be listed for ever. Only the holder of the hour's lease deletes in these.
            if folder.name.startswith("destination="):
                with suppress(OSError):
                    folder.rmdir()

    @contextmanager
    def snapshot(self, key: str, name: str) -> Iterator[str]:
        """Yield the key of a snapshot, which keeps the current object even if `key` is replaced meanwhile.

        Args:
            key: the object's key; if it does not exist, neither does the snapshot.
            name: the snapshot's key, which the caller chooses.
        """
        link = self._root / name
        link.unlink(missing_ok=True)  # left by a run that was killed
        with suppress(FileNotFoundError):
            if self.exists(key):
                link.parent.mkdir(parents=True, exist_ok=True)
                os.link(self._root / key, link)
        try:
            yield name
        finally:
            self.delete([name])

    def scratch_file(self, key: str) -> Path:
        """Return the path of a temporary file. The caller deletes it; `files.drafts` finds it after a crash."""
        return new_draft(self._root, self._root / key)

    # Damage

    def damaged(self, message: str) -> DamagedPartition | None:
        """Return the damaged object that an error message of DuckDB is about, or None.

        Args:
            message: the text of the error, from DuckDB or quoted by another tool, such as dbt.
        """
        for path in self._named_in(message):
            try:
                with closing(duckdb.connect()) as connection:
                    # Not in the text of the query: a path may hold a quote.
                    connection.execute("select max(hash(file)) from read_parquet($path) as file", {"path": str(path)})
            except duckdb.Error as error:
                if path.exists():
                    reason = str(error).splitlines()[0].replace(str(path), "…")
                    return DamagedPartition(self.key_of(str(path)), path, reason)
        return None

    def _named_in(self, message: str) -> Iterator[Path]:
        named = [Path(name) for name in NAMED_FILE.findall(message)]
        yield from (path for path in named if path.is_relative_to(self._root))
        if not named and NAMES_NO_FILE in message:
            yield from self._root.rglob("*.parquet")


def literal(value: object) -> str:
    """Return a text or path as an SQL literal, for places where DuckDB accepts no parameter."""
    return "'" + str(value).replace("'", "''") + "'"
