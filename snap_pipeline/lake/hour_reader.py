"""The reader of one hour's landing files, which writes `raw_events` and `quarantined_lines` from their lines.

`raw.py` decides which files are read whole and which line by line.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from snap_pipeline.lake.file_lines import load_file_lines
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, LandingZone, Listing, as_text
from snap_pipeline.lake.row_errors import DATA_ERRORS, rows_that_fail
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, literal, partition
from snap_pipeline.lake.text_files import (
    MAXIMUM_LINE_BYTES,
    DamagedFile,
    as_pattern,
    content_of,
    write_clean_copy,
)
from snap_pipeline.lake.tombstones import without_the_forgotten
from snap_pipeline.reasons import Quarantine

MANY_FILES, SMALL_FILE_BYTES = 16, 1_000_000
"""From so many files of so small an average size on, lines are gathered in one table before they are processed."""
KEPT_EVENT = """
    * replace (
        consent_of_any_version(consent) as consent, without_blank_texts(properties::varchar)::json as properties
    )
"""
"""The columns of a raw event that an earlier version may have read."""
NO_LINES = "select null::varchar as workspace, null::varchar as source_file, null::json as line limit 0"


@dataclass(frozen=True)
class RawHour:
    """Counts of one reading of an hour."""

    rows: int
    quarantined: int
    files: int
    kept_files: int
    """Files that are gone from the landing zone, with their rows kept."""
    unread_files: int = 0
    """Files that landed after the hour was pruned, and are never read there."""
    placeholder_ids: Mapping[str, int] = field(default_factory=dict)
    """Number of events with an id that stands for nobody, by kind of id."""
    nul_bytes: int = 0
    """NUL bytes that were left out of lines."""


class HourReader:
    """Reader of one hour: collects the sources of its lines as SQL, then writes both tables from them.

    Args:
        lake: receives both tables.
        landing: the landing zone of the files.
        connection: a connection with macros.
        hour: the hour to read.
        listing: the hour's files, which the partition will note.
    """

    def __init__(
        self, lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, listing: Listing
    ) -> None:
        self._lake, self._storage = lake, lake.storage
        self._landing, self._connection, self._hour = landing, connection, hour
        self._raw_key = partition(Table.RAW_EVENTS, hour)
        self._quarantine_key = partition(Table.QUARANTINED_LINES, hour)
        self._listing = listing
        self._recipes = landing.mappings.load(connection)
        notes = lake.storage.notes(connection, self._raw_key)
        present = {file.source_file for file in listing}
        before = {file["source_file"] for file in notes.get("listing", [])} | set(notes.get("gone", []))
        self._gone = sorted(before - present)
        self._sources: list[str] = []
        self._nul_bytes = 0
        connection.execute(f"set variable landed_event = ({sql('landed_event')})")
        connection.execute(f"set variable match_field_names = ({sql('match_field_names')})")
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
        """Read some files whole in one scan, which fails unless every line is an event, and others line by line.

        Bad lines of the latter are quarantined; a file that is no text is quarantined as a whole. Damage after the
        readable part of a compressed file is quarantined as one row without a line.

        Raises:
            LakeError: a file cannot be read.
        """
        self._sources = [self._gather(whole)] if whole else []
        if line_by_line:
            self._connection.execute("delete from good_lines; delete from quarantined")
            self._sources.append("select workspace, source_file, line from good_lines")
        self._nul_bytes = 0
        for file in line_by_line:
            copy = self._storage.scratch_file(self._raw_key)
            try:
                clean = write_clean_copy(self._landing.path(file), copy)
                load_file_lines(self._connection, copy)
            except DamagedFile as damage:
                self._quarantine_whole(file, damage.reason)
            else:
                self._sort_lines(file, nul_bytes=clean.nul_bytes)
                if clean.damage:
                    self._quarantine_whole(file, clean.damage.reason)
            finally:
                copy.unlink(missing_ok=True)

    def quarantine_unprocessable_lines(self) -> int:
        """Move lines on which the SQL of `raw_events` fails from `good_lines` to `quarantined`; return their number."""
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
                insert into quarantined
                select workspace, source_file, line_number, '{Quarantine.UNPROCESSABLE}' from {rows};
                delete from {rows};
                """
            )
        return len(found)

    def is_strictly_readable(self, file: LandedFile) -> bool:
        """Tell whether every line of a file is an event.

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
        """Replace both partitions, `raw_events` last, since its listing marks the hour as read."""
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
                **self._recipes.raw_events_notes,
                "reading": uuid.uuid4().hex,
            },
        )
        kinds = f"select unnest(placeholder_ids) as kind from {self._storage.scan([self._raw_key])}"
        counts = self._connection.execute(
            f"select kind, count(*) from ({kinds}) group by kind order by kind"
        ).fetchall()
        return RawHour(
            rows,
            quarantined,
            len(self._listing),
            len(self._gone),
            placeholder_ids=dict(counts),
            nul_bytes=self._nul_bytes,
        )

    def load(self) -> None:
        """Create the temporary table `raw_events`, with row numbers as in a partition."""
        self._connection.execute(
            f"create or replace temp table raw_events as "
            f"select *, row_number() over () - 1 as file_row_number from ({self._events()})"
        )

    def load_received(self) -> None:
        """Create the temporary table `received_events` of one file read line by line, without applying tombstones."""
        self._connection.execute(
            f"""
            create or replace temp view landed_lines as select workspace, source_file, line from good_lines;
            create or replace temp table received_events as {sql("raw_events")};
            """
        )

    def _events(self) -> str:
        lines = " union all ".join(self._sources or [NO_LINES])
        self._connection.execute(f"create or replace temp view landed_lines as {lines}")
        received = f"{sql('raw_events')} {self._kept_rows(self._raw_key, KEPT_EVENT)}"
        return without_the_forgotten(self._storage, self._connection, received)

    def _strict_read(self, files: Sequence[LandedFile]) -> str:
        patterns = ", ".join(literal(as_pattern(self._landing.path(file))) for file in files)
        source_file = self._landing.source_file_sql
        # DuckDB accepts objects of up to twice the maximum.
        return f"""
            select
                regexp_extract({source_file}, {literal(self._landing.workspace_pattern(self._hour))}, 1) as workspace,
                {source_file} as source_file,
                case
                    when not starts_with(json::varchar, '{{') then error('a line that is no object')
                    when strlen(json::varchar) > {MAXIMUM_LINE_BYTES} then error('a line that is too long')
                    when is_body_of_events(json) then error('a line of several events')
                    else json
                end as line
            from read_json_objects(
                [{patterns}], format = 'newline_delimited', filename = true, maximum_object_size = {MAXIMUM_LINE_BYTES}
            )
        """

    def _gather(self, files: Sequence[LandedFile]) -> str:
        """Return SQL of the lines of whole files; lines of many small files are gathered in a table first.

        DuckDB processes each file in chunks of its own; a chunk of a few lines costs as much as one of two thousand.
        """
        lines = self._strict_read(files)
        if len(files) < MANY_FILES or sum(file.size for file in files) > len(files) * SMALL_FILE_BYTES:
            return lines
        self._connection.execute(f"create or replace temp table gathered_lines as {lines}")
        return "from gathered_lines"

    def _sort_lines(self, file: LandedFile, *, nul_bytes: int) -> None:
        """Sort the lines of a file into `good_lines` and `quarantined`."""
        names = {"workspace": file.workspace, "source_file": as_text(file.source_file)}
        (good,) = self._connection.execute(
            """
            insert into good_lines
            select $workspace, $source_file, line_number, line::json from file_lines
            where is_object order by position
            """,
            names,
        ).fetchone() or (0,)
        # Text may hold NUL bytes; without a single event, the file is no text.
        if nul_bytes and not good:
            self._quarantine_whole(file, Quarantine.NOT_TEXT)
        else:
            self._nul_bytes += nul_bytes
            self._connection.execute(f"insert into quarantined {sql('quarantined_lines')}", names)

    def _quarantine_whole(self, file: LandedFile, reason: Quarantine) -> None:
        self._connection.execute(
            "insert into quarantined values (?, ?, null, ?)", [file.workspace, as_text(file.source_file), reason]
        )

    def _kept_rows(self, key: str, row: str = "*") -> str:
        if not self._gone or not self._storage.exists(key):
            return ""
        names = ", ".join(literal(as_text(name)) for name in self._gone)
        kept = f"select {row} from {self._storage.scan([key])} where source_file in ({names})"
        return f"union all by name ({kept})"
