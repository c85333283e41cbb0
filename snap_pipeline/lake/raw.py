"""Landing files in: `raw_events` and `quarantined_lines` of an hour.

An hour is read strictly in one go. Only when that fails are its files looked at one by one, and those at fault
read line by line, so that bad lines are quarantined and everything else goes on.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import duckdb

from snap_pipeline.lake.lake import Lake, sql
from snap_pipeline.lake.landing import LandedFile, LandingZone, Listing, as_text
from snap_pipeline.lake.recipes import raw_events_notes
from snap_pipeline.lake.row_errors import DATA_ERRORS, rows_that_fail
from snap_pipeline.lake.storage import Table, hour_of, literal, partition
from snap_pipeline.lake.text_files import (
    MAXIMUM_LINE_BYTES,
    DamagedFile,
    as_pattern,
    content_of,
    is_for_duckdb,
    read_lines,
    write_clean_copy,
)
from snap_pipeline.lake.tombstones import without_the_forgotten

MANY_FILES, SMALL_FILE_BYTES = 16, 1_000_000
"""An hour of so many files that are so small on average is put together before anything is made of its lines."""
NO_LINES = "select null::varchar as workspace, null::varchar as source_file, null::json as line limit 0"


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
    """Makes the table `good_lines` of one file (line_number, line) and `received_events`, an event each, in order.

    Both are empty where nothing in the file is an event.

    Raises:
        LakeError: the file cannot be read.
    """
    reader = _HourReader(lake, landing, connection, hour, [file])
    reader.read([], [file])
    reader.load_received()


def load_lines_of_file(
    lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, file: LandedFile
) -> None:
    """Make the table `good_lines` (line_number, line) of the lines of one file that are JSON objects.

    Raises:
        LakeError: the file cannot be read.
    """
    _HourReader(lake, landing, connection, hour, [file]).read([], [file])


def _read(
    lake: Lake,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    hour: datetime,
    use: "Callable[[_HourReader], Outcome]",
) -> "Outcome":
    listing = landing.listing(hour)
    reader = _HourReader(lake, landing, connection, hour, listing)
    try:
        return _read_files(reader, listing, use)
    except DATA_ERRORS:
        reader.read([], listing)
        if not reader.quarantine_unprocessable_lines():
            raise
        return use(reader)


def _read_files(
    reader: "_HourReader", listing: Sequence[LandedFile], use: "Callable[[_HourReader], Outcome]"
) -> "Outcome":
    plain = [file for file in listing if is_for_duckdb(file.source_file)]
    others = [file for file in listing if not is_for_duckdb(file.source_file)]
    try:
        reader.read(plain, others)
        return use(reader)
    except (duckdb.InvalidInputException, duckdb.IOException):
        readable = {file for file in plain if reader.is_strictly_readable(file)}
        if len(readable) == len(plain):
            raise
        reader.read(
            [file for file in plain if file in readable], [*(file for file in plain if file not in readable), *others]
        )
        return use(reader)


def read_listings(
    lake: Lake, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
) -> Mapping[datetime, list[LandedFile]]:
    """The listings that the partitions of hours were made from; hours without a partition are left out."""
    notes = lake.storage.notes_of(connection, (partition(Table.RAW_EVENTS, hour) for hour in hours))
    return {hour_of(key): [LandedFile(**file) for file in each.get("listing", [])] for key, each in notes.items()}


class _HourReader:
    """Gathers the sources of one hour's lines as SQL, then writes both tables from them."""

    def __init__(
        self, lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, listing: Listing
    ) -> None:
        self._lake, self._storage = lake, lake.storage
        self._landing, self._connection, self._hour = landing, connection, hour
        self._raw_key = partition(Table.RAW_EVENTS, hour)
        self._quarantine_key = partition(Table.QUARANTINED_LINES, hour)
        self._listing = listing
        notes = lake.storage.notes(connection, self._raw_key)
        present = {file.source_file for file in listing}
        before = {file["source_file"] for file in notes.get("listing", [])} | set(notes.get("gone", []))
        self._gone = sorted(before - present)
        self._sources: list[str] = []
        connection.execute(f"set variable landed_event = ({sql('landed_event')})")
        connection.execute(
            """
            create or replace temp table quarantined (
                workspace varchar, source_file varchar, line_number bigint, reason varchar
            );
            create or replace temp table good_lines (
                workspace varchar, source_file varchar, line_number bigint, line json
            );
            """
        )

    def read(self, whole: Sequence[LandedFile], line_by_line: Sequence[LandedFile]) -> None:
        """Takes whole files in one scan, which a line that is no object will fail, and the good lines of others.

        The other lines of these are quarantined; a file that is no text is quarantined whole.

        Raises:
            LakeError: a file cannot be read.
        """
        self._sources = [self._gather(whole)] if whole else []
        if line_by_line:
            self._connection.execute("delete from good_lines; delete from quarantined")
            self._sources.append("select workspace, source_file, line from good_lines")
        for file in line_by_line:
            copy = self._storage.scratch_file(self._raw_key)
            try:
                has_nul = write_clean_copy(self._landing.path(file), copy)
                read_lines(self._connection, copy)
            except DamagedFile as damage:
                self._quarantine_whole(file, damage.reason)
            else:
                self._sort_lines(file, has_nul=has_nul)
            finally:
                copy.unlink(missing_ok=True)

    def quarantine_unprocessable_lines(self) -> int:
        """Move lines with which no events can be made from `good_lines` to `quarantined`, and return how many."""
        lines = [line for (line,) in self._connection.execute("select rowid from good_lines order by rowid").fetchall()]

        def fails(first: int, end: int) -> bool:
            self._connection.execute(
                f"create or replace temp view landed_lines as select workspace, source_file, line from good_lines "
                f"where rowid between {lines[first]} and {lines[end - 1]}"
            )
            try:
                self._connection.execute(f"create or replace temp table tried as {sql('raw_events')}")
            except DATA_ERRORS:
                return True
            return False

        found = [lines[position] for position in rows_that_fail(len(lines), fails)]
        if found:
            rows = f"good_lines where rowid in ({', '.join(map(str, found))})"
            self._connection.execute(
                f"""
                insert into quarantined select workspace, source_file, line_number, 'unprocessable' from {rows};
                delete from {rows};
                """
            )
        return len(found)

    def is_strictly_readable(self, file: LandedFile) -> bool:
        """Whether every line is an object.

        Raises:
            LakeError: the file itself cannot be read.
        """
        try:
            next(content_of(self._landing.path(file)), b"")
            self._connection.execute(f"select count(line) from ({self._strict_read([file])})")
        except (DamagedFile, duckdb.InvalidInputException, duckdb.IOException):
            return False
        return True

    def write(self) -> RawHour:
        """Replaces both partitions, `raw_events` last, since it carries the listing."""
        quarantined = self._storage.commit(
            self._connection,
            self._quarantine_key,
            f"from quarantined {self._kept_rows(self._quarantine_key)} order by all",
        )
        rows = self._storage.commit(
            self._connection,
            self._raw_key,
            self._events(),
            metadata={
                "listing": [file.as_note() for file in self._listing],
                "gone": self._gone,
                **raw_events_notes(),
                "reading": uuid.uuid4().hex,
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
            create or replace temp view landed_lines as select workspace, source_file, line from good_lines;
            create or replace temp table received_events as {sql("raw_events")};
            """
        )

    def _events(self) -> str:
        lines = " union all ".join(self._sources or [NO_LINES])
        self._connection.execute(f"create or replace temp view landed_lines as {lines}")
        received = f"{sql('raw_events')} {self._kept_rows(self._raw_key)}"
        return without_the_forgotten(self._storage, self._connection, received)

    def _strict_read(self, files: Sequence[LandedFile]) -> str:
        patterns = ", ".join(literal(as_pattern(self._landing.path(file))) for file in files)
        source_file = self._landing.source_file_sql
        # DuckDB reads objects up to twice the maximum.
        return f"""
            select
                regexp_extract({source_file}, {literal(self._landing.workspace_pattern(self._hour))}, 1) as workspace,
                {source_file} as source_file,
                case
                    when not starts_with(json::varchar, '{{') then error('a line that is no object')
                    when strlen(json::varchar) > {MAXIMUM_LINE_BYTES} then error('a line that is too long')
                    else json
                end as line
            from read_json_objects(
                [{patterns}], format = 'newline_delimited', filename = true, maximum_object_size = {MAXIMUM_LINE_BYTES}
            )
        """

    def _gather(self, files: Sequence[LandedFile]) -> str:
        """The lines of whole files, many small ones put together first.

        DuckDB hands on the lines of each file by themselves, and what is made of them costs as much for a few lines as
        for two thousand.
        """
        lines = self._strict_read(files)
        if len(files) < MANY_FILES or sum(file.size for file in files) > len(files) * SMALL_FILE_BYTES:
            return lines
        self._connection.execute(f"create or replace temp table gathered_lines as {lines}")
        return "from gathered_lines"

    def _sort_lines(self, file: LandedFile, *, has_nul: bool) -> None:
        """Puts the lines that were read of a file into `good_lines` or `quarantined`."""
        self._connection.execute(f"create or replace temp table file_lines as {sql('file_lines')}")
        names = {"workspace": file.workspace, "source_file": as_text(file.source_file)}
        (good,) = self._connection.execute(
            """
            insert into good_lines
            select $workspace, $source_file, line_number, line::json from file_lines
            where is_object order by line_number
            """,
            names,
        ).fetchone() or (0,)
        # Text may hold a stray NUL byte; where nothing else was read either, it was no text.
        if has_nul and not good:
            self._quarantine_whole(file, "not_text")
        else:
            self._connection.execute(f"insert into quarantined {sql('quarantined_lines')}", names)

    def _quarantine_whole(self, file: LandedFile, reason: str) -> None:
        self._connection.execute(
            "insert into quarantined values (?, ?, null, ?)", [file.workspace, as_text(file.source_file), reason]
        )

    def _kept_rows(self, key: str) -> str:
        if not self._gone or not self._storage.exists(key):
            return ""
        names = ", ".join(literal(as_text(name)) for name in self._gone)
        kept = f"from {self._storage.scan([key])} where source_file in ({names})"
        return f"union all by name ({kept})"
