"""Landing files in: `raw_events` and `quarantined_lines` of an hour.

An hour is read strictly in one go. Only when that fails are its files looked at one by one, and those at fault
read line by line, so that bad lines are quarantined and everything else goes on.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.lake import Lake, literal, sql
from snap_pipeline.lake.landing import LandedFile, LandingZone, Listing
from snap_pipeline.lake.tombstones import without_the_forgotten
from snap_pipeline.lake.versions import code_version

MAXIMUM_LINE_BYTES = 16_000_000
HEAD_BYTES = 65_536
NO_LINES = "select null::varchar as workspace, null::varchar as source_file, null::json as line limit 0"


DATA_ERRORS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.NotSupportedError)
"""What DuckDB raises for a value that it cannot process. What it raises for disks and memory is none of these."""

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class RawHour:
    """What one reading of an hour made."""

    rows: int
    quarantined: int
    files: int
    kept_files: int
    """Files that are gone from the landing zone and whose rows were kept."""
    unread_files: int = 0
    """Files that landed after the hour was pruned; nothing can be made of them there."""


def make_raw_events(lake: Lake, landing: LandingZone, hour: datetime) -> RawHour:
    """Reads the files of an hour into `raw_events` and `quarantined_lines`.

    Rows of files that were read before and are gone now (a bucket's lifecycle rule) are kept. The listing that was
    read is kept with the partition: a folder that shows another one is to be read again. An hour that was pruned is
    left as it is.

    Raises:
        LakeError: a file cannot be read (permission, disk, vanished meanwhile), or the lake cannot be written;
            the old partition is intact.
    """
    if lake.is_pruned(hour):
        return RawHour(sum(lake.pruned_events(hour).values()), 0, 0, 0, len(landing.listing(hour)))
    with lake.connect_with_macros() as connection:
        return _read(lake, landing, connection, hour, _HourReader.write)


def load_landed_events(lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime) -> None:
    """Makes what `raw_events` of an hour would hold a temporary table of that name, and no partition.

    For steps that need an hour before its turn. A partition would say that the hour has been read, and nobody would
    ask for the rest of its tables.

    Raises:
        LakeError: as `make_raw_events`.
    """
    _read(lake, landing, connection, hour, _HourReader.load)


def load_events_of_file(
    lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, file: LandedFile
) -> None:
    """Makes the table `good_lines` of one file (line_number, line) and `received_events`, an event each, in order."""
    reader = _HourReader(lake, landing.root, connection, hour, [file])
    reader.read_line_by_line([file])
    reader.load_received()


def _read(
    lake: Lake,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    hour: datetime,
    use: "Callable[[_HourReader], Outcome]",
) -> "Outcome":
    listing = landing.listing(hour)
    reader = _HourReader(lake, landing.root, connection, hour, listing)
    try:
        return _read_files(reader, listing, use)
    except DATA_ERRORS:
        reader = _HourReader(lake, landing.root, connection, hour, listing)
        reader.read_line_by_line(listing)
        if not reader.quarantine_unprocessable_lines(listing):
            raise
        return use(reader)


def _read_files(
    reader: "_HourReader", listing: Sequence[LandedFile], use: "Callable[[_HourReader], Outcome]"
) -> "Outcome":
    try:
        reader.read_strictly(listing)
        return use(reader)
    except (duckdb.InvalidInputException, duckdb.IOException):
        troubled = [file for file in listing if not reader.is_strictly_readable(file)]
        if not troubled:
            raise
        reader.read_strictly([file for file in listing if file not in troubled])
        reader.read_line_by_line(troubled)
        return use(reader)


def read_listings(
    lake: Lake, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
) -> Mapping[datetime, list[LandedFile]]:
    """The listings that the partitions of hours were made from; hours without a partition are left out."""
    paths = {lake.path("raw_events", hour): hour for hour in hours}
    notes = lake.notes_of(connection, paths)
    return {paths[path]: [LandedFile(**file) for file in each.get("listing", [])] for path, each in notes.items()}


class _HourReader:
    """Gathers the sources of one hour's lines as SQL, then writes both tables from them."""

    def __init__(
        self, lake: Lake, root: Path, connection: duckdb.DuckDBPyConnection, hour: datetime, listing: Listing
    ) -> None:
        self._lake, self._root, self._connection = lake, root, connection
        self._raw_path = lake.path("raw_events", hour)
        self._quarantine_path = lake.path("quarantined_lines", hour)
        self._listing = listing
        notes = lake.notes(connection, self._raw_path)
        present = {file.source_file for file in listing}
        before = {file["source_file"] for file in notes.get("listing", [])} | set(notes.get("gone", []))
        self._gone = sorted(before - present)
        self._sources: list[str] = []
        connection.execute(f"set variable landed_event = ({sql('landed_event')})")
        connection.execute(
            "create or replace temp table quarantined ("
            "workspace varchar, source_file varchar, line_number bigint, reason varchar)"
        )

    def read_strictly(self, files: Sequence[LandedFile]) -> None:
        """Takes whole files, one read a workspace; a line that is no object will fail the query."""
        self._sources = [
            self._strict_read(workspace, list(group)) for workspace, group in groupby(files, attrgetter("workspace"))
        ]

    def read_line_by_line(self, files: Sequence[LandedFile]) -> None:
        """Takes the good lines of files and quarantines the others; what is not text is quarantined whole."""
        for number, file in enumerate(files):
            reason = why_not_text(self._root / file.source_file)
            if reason:
                self._connection.execute(
                    "insert into quarantined values (?, ?, null, ?)",
                    [file.workspace, file.source_file, reason],
                )
            else:
                self._sources.append(self._read_lines(file, f"good_lines_{number}"))

    def quarantine_unprocessable_lines(self, files: Sequence[LandedFile]) -> int:
        """Takes the lines out of files read line by line with which no events can be made, and returns how many."""
        found = 0
        for number, file in enumerate(files):
            table = f"good_lines_{number}"
            if not any(table in source.split() for source in self._sources):
                continue
            rows = self._connection.execute(f"select line_number from {table} order by line_number").fetchall()
            lines = [line_number for (line_number,) in rows]
            for position in rows_that_fail(len(lines), partial(self._fails, file, table, lines)):
                self._connection.execute(
                    "insert into quarantined values (?, ?, ?, 'unprocessable')",
                    [file.workspace, file.source_file, lines[position]],
                )
                self._connection.execute(f"delete from {table} where line_number = ?", [lines[position]])
                found += 1
        return found

    def _fails(self, file: LandedFile, table: str, lines: Sequence[int], first: int, end: int) -> bool:
        self._connection.execute(
            f"create or replace temp view landed_lines as "
            f"select {literal(file.workspace)} as workspace, {literal(file.source_file)} as source_file, line "
            f"from {table} where line_number between {lines[first]} and {lines[end - 1]}"
        )
        try:
            self._connection.execute(f"create or replace temp table tried as {sql('raw_events')}")
        except DATA_ERRORS:
            return True
        return False

    def is_strictly_readable(self, file: LandedFile) -> bool:
        """Whether every line is an object.

        Raises:
            LakeError: the file itself cannot be read.
        """
        try:
            with (self._root / file.source_file).open("rb") as stream:
                stream.read(1)
            self._connection.execute(f"select count(line) from ({self._strict_read(file.workspace, [file])})")
        except OSError as error:
            raise LakeError(
                f"{file.source_file} cannot be read: {error.strerror}. The hour keeps its old partition."
            ) from error
        except (duckdb.InvalidInputException, duckdb.IOException):
            return False
        return True

    def write(self) -> RawHour:
        """Replaces both partitions, `raw_events` last, since it carries the listing."""
        quarantined = self._lake.replace(
            self._connection,
            self._quarantine_path,
            f"from quarantined {self._kept_rows(self._quarantine_path)} order by all",
        )
        rows = self._lake.replace(
            self._connection,
            self._raw_path,
            self._events(),
            metadata={
                "listing": [file.as_note() for file in self._listing],
                "gone": self._gone,
                "code_version": code_version("raw_events"),
            },
        )
        return RawHour(rows, quarantined, len(self._listing), len(self._gone))

    def load(self) -> None:
        """Makes the temporary table `raw_events`, its rows numbered as those of a partition."""
        self._connection.execute(
            f"create or replace temp table raw_events as "
            f"select *, row_number() over () - 1 as file_row_number from ({self._events()})"
        )

    def load_received(self) -> None:
        """Makes the temporary table `received_events` of one file that was read line by line, nobody forgotten."""
        self._connection.execute(
            f"""
            alter table good_lines_0 rename to good_lines;
            create or replace temp view landed_lines as
                select '' as workspace, '' as source_file, line from good_lines order by line_number;
            create or replace temp table received_events as {sql("raw_events")};
            """
        )

    def _events(self) -> str:
        lines = " union all ".join(self._sources or [NO_LINES])
        self._connection.execute(f"create or replace temp view landed_lines as {lines}")
        received = f"{sql('raw_events')} {self._kept_rows(self._raw_path)}"
        return without_the_forgotten(self._lake.root, self._connection, received)

    def _strict_read(self, workspace: str, files: Sequence[LandedFile]) -> str:
        paths = ", ".join(literal(as_pattern(self._root / file.source_file)) for file in files)
        # DuckDB reads objects up to twice the maximum.
        return f"""
            select
                {literal(workspace)} as workspace,
                substr(filename, {len(str(self._root)) + 2}) as source_file,
                case
                    when not starts_with(json::varchar, '{{') then error('a line that is no object')
                    when strlen(json::varchar) > {MAXIMUM_LINE_BYTES} then error('a line that is too long')
                    else json
                end as line
            from read_json_objects(
                [{paths}], format = 'newline_delimited', filename = true, maximum_object_size = {MAXIMUM_LINE_BYTES}
            )
        """

    def _read_lines(self, file: LandedFile, table: str) -> str:
        self._connection.execute(
            f"""
            drop table if exists reject_errors;
            drop table if exists reject_scans;
            create or replace temp table read_lines as
            select row_number() over () as position, line
            from read_csv(
                {literal(as_pattern(self._root / file.source_file))}, columns = {{'line': 'VARCHAR'}},
                auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', strict_mode = false,
                max_line_size = {MAXIMUM_LINE_BYTES}, store_rejects = true
            );
            create or replace temp table file_lines as {sql("file_lines")};
            create or replace temp table {table} as
            select line_number, line::json as line from file_lines where is_object order by line_number;
            """
        )
        names = {"workspace": file.workspace, "source_file": file.source_file}
        self._connection.execute(f"insert into quarantined {sql('quarantined_lines')}", names)
        workspace, source_file = literal(file.workspace), literal(file.source_file)
        return f"select {workspace} as workspace, {source_file} as source_file, line from {table}"

    def _kept_rows(self, path: Path) -> str:
        if not self._gone or not path.exists():
            return ""
        names = ", ".join(map(literal, self._gone))
        kept = f"from read_parquet({literal(path)}, hive_partitioning = false) where source_file in ({names})"
        return f"union all by name ({kept})"


def load_lines_of_file(
    lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, file: LandedFile
) -> None:
    """Makes the table `lines_of_file` (line_number, line) of the lines of one file that are JSON objects."""
    _HourReader(lake, landing.root, connection, hour, [file]).read_line_by_line([file])
    connection.execute("create or replace temp table lines_of_file as from good_lines_0")


def rows_that_fail(rows: int, fails: Callable[[int, int], bool]) -> list[int]:
    """The positions of the rows with which something fails, found by halving.

    Nothing where it fails with every row alone, since then it is not about rows.

    Args:
        rows: how many there are.
        fails: whether it fails with the rows from a position up to, not including, another one.
    """
    found: list[int] = []
    parts = [(0, rows)] if rows else []
    while parts:
        first, end = parts.pop()
        if fails(first, end):
            if end - first == 1:
                found.append(first)
            else:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
    return found if len(found) < max(rows, 2) else []


def as_pattern(path: Path) -> str:
    """The pattern that matches a path alone, since DuckDB reads file names as patterns."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def why_not_text(path: Path) -> str | None:
    """The reason for which a file cannot be read as lines at all."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            if path.suffix == ".gz":
                while stream.read(HEAD_BYTES * 16):
                    pass
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return "damaged_gzip"
    return "not_text" if b"\0" in head else None
