"""Upload of event files (`snap-pipeline land`) into the folders of their hours.

Takes JSON in any layout, and tables with a header: CSV and spreadsheets. Events stay as they were written; what is
unreadable lands in the running hour, where it is quarantined and counted.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import duckdb
import orjson

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.csv_rows import read_csv
from snap_pipeline.lake.encodings import UTF_8
from snap_pipeline.lake.file_lines import load_file_lines
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.spreadsheets import SUFFIXES, Spreadsheet
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.table_rows import EventFields, TableRow
from snap_pipeline.lake.text_files import DECOMPRESSORS, MAXIMUM_LINE_BYTES, CleanCopy, DamagedFile, write_clean_copy

LINES_AT_ONCE = 10_000
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt"})
REPORTED_BYTES = 9_990
"""DuckDB reports a rejected line up to its 10,000th byte, or the character before it. A longer one is read to its end
from the file."""


@dataclass(frozen=True)
class Landed:
    """Counts of one landed file.

    Attributes:
        lines: the number of all lines.
        unreadable: the number of lines that are no event and will be quarantined.
        without_time: the number of events whose time is missing or unreadable.
        hours: the number of lines by hour.
        unknown_columns: the columns of a table that no event has.
        unread_sheets: the sheets of a spreadsheet without a header of event fields.
        encoding: what the file is written in.
        nul_bytes: the number of NUL bytes that were left out.
    """

    lines: int
    unreadable: int
    without_time: int
    hours: dict[datetime, int]
    unknown_columns: Sequence[str] = ()
    unread_sheets: Sequence[str] = ()
    encoding: str = UTF_8
    nul_bytes: int = 0


@dataclass
class _Reading:
    """Findings in a file besides its events."""

    rejected: list[bytes] = field(default_factory=list)
    unknown_columns: Sequence[str] = ()
    unread_sheets: Sequence[str] = ()


class Upload:
    """Upload of files into one workspace.

    Args:
        lake: provides DuckDB connections.
        landing: the landing zone.
        workspace: the workspace that the events belong to.
        origin: the origin of events that do not name one, such as `csv`.
        hour: the hour to land in; None for each event's own.
        first_hour: the earliest hour to land in.
        running_hour: the hour for events without a usable time.
    """

    def __init__(
        self,
        lake: Lake,
        landing: LandingZone,
        *,
        workspace: str,
        origin: str | None,
        hour: datetime | None,
        first_hour: datetime,
        running_hour: datetime,
    ) -> None:
        self._lake, self._landing, self._workspace = lake, landing, workspace
        self._origin, self._hour = origin, hour
        self._first_hour, self._running_hour = first_hour, running_hour

    def land(self, file: Path) -> Landed:
        """Land one file. Idempotent: the names of landed files derive from its content.

        Raises:
            LakeError: the file cannot be read, or the landing zone cannot be written.
            UnusableFile: a table without a header, or a spreadsheet that cannot be opened.
        """
        copies: list[Path] = []
        try:
            digest = _digest(file)
            with self._lake.connect_with_macros() as connection:
                copies = [self._landing.scratch_file(f"{number}-{file.name}") for number in range(2)]
                if file.suffix.lower() in SUFFIXES:
                    clean = CleanCopy(UTF_8, 0, None)
                    reading = self._read_spreadsheet(connection, file, copies[0])
                else:
                    clean = write_clean_copy(file, copies[0])
                    reading = self._read(connection, file, clean, copies)
                self._place_lines(connection)
                # Text may hold NUL bytes; without a single event, the file is no text.
                if clean.nul_bytes and not self._count(connection, "is_event"):
                    return self._land_whole(file, digest)
                return self._write(connection, file, digest, clean, reading)
        except DamagedFile:
            return self._land_whole(file, digest)
        except OSError as error:
            raise LakeError(
                f"{file} could not be landed in {self._landing.location}: {error.strerror or error}. Fix that and "
                "land the file again; nothing of it lands twice."
            ) from error
        finally:
            for copy in copies:
                copy.unlink(missing_ok=True)

    def _land_whole(self, file: Path, digest: str) -> Landed:
        hour = self._hour or self._running_hour
        self._copy(file, 0, hour, f"{_stem(file)}-{digest}.ndjson")
        return Landed(1, 1, 0, {hour: 1})

    def _copy(self, file: Path, start: int, hour: datetime, name: str) -> None:
        """Land a file from a byte on as it is."""
        suffix = file.suffix.lower() if file.suffix.lower() in DECOMPRESSORS else ""
        with self._place(hour, f"{name}{suffix}") as stream, file.open("rb") as content:
            content.seek(start)
            shutil.copyfileobj(content, stream)

    @staticmethod
    def _read(connection: duckdb.DuckDBPyConnection, file: Path, clean: CleanCopy, copies: Sequence[Path]) -> _Reading:
        """Create the table `file_lines` of a text file.

        Args:
            connection: gets the table.
            file: the file.
            clean: what its clean copy was made of.
            copies: the clean copy, and the path of one by event.
        """
        if not _is_table(file, copies[0]):
            load_file_lines(connection, copies[0])
            return _Reading(_rejected_lines(connection, copies[0]))
        header, rows = read_csv(file, copies[0], EventFields(connection), is_cut_off=clean.damage is not None)
        rejected = _load_table(connection, rows, copies[1])
        return _Reading(rejected, header.unknown)

    @staticmethod
    def _read_spreadsheet(connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> _Reading:
        sheets = Spreadsheet(file, EventFields(connection))
        return _Reading(_load_table(connection, sheets.rows(), copy), sheets.unknown, sheets.unread_sheets)

    def _place_lines(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the table `placed`: a row for each line of `file_lines`, with the hour to land in."""
        values = {
            "origin": self._origin,
            "given_hour": _naive(self._hour),
            "first_hour": _naive(self._first_hour),
            "running_hour": _naive(self._running_hour),
            "maximum_line_bytes": MAXIMUM_LINE_BYTES,
        }
        connection.execute(f"create or replace temp table placed as {sql('uploaded_lines')}", values)

    @staticmethod
    def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
        row = connection.execute(f"select count(*) from placed where {condition}").fetchone()
        return int(row[0]) if row else 0

    def _write(
        self, connection: duckdb.DuckDBPyConnection, file: Path, digest: str, clean: CleanCopy, reading: _Reading
    ) -> Landed:
        name = f"{_stem(file)}-{digest}"
        counts = connection.execute("select hour, count(*) from placed group by hour order by hour").fetchall()
        hours = {hour.replace(tzinfo=UTC): lines for hour, lines in counts}
        for hour in hours:
            with self._place(hour, f"{name}.ndjson") as stream:
                connection.execute("select line from placed where hour = ? order by position", [_naive(hour)])
                while rows := connection.fetchmany(LINES_AT_ONCE):
                    stream.write("".join(f"{line}\n" for (line,) in rows).encode())
        running = self._hour or self._running_hour
        if reading.rejected:
            with self._place(running, f"{name}-unreadable.ndjson") as stream:
                stream.write(b"".join(reading.rejected))
            hours[running] = hours.get(running, 0) + len(reading.rejected)
        if clean.damage:
            self._copy(file, clean.damage.packed_bytes, running, f"{name}-damaged.ndjson")
            hours[running] = hours.get(running, 0) + 1
        lines = sum(hours.values())
        return Landed(
            lines,
            lines - self._count(connection, "is_event"),
            self._count(connection, "is_event and lacks_time"),
            dict(sorted(hours.items())),
            reading.unknown_columns,
            reading.unread_sheets,
            clean.encoding,
            clean.nul_bytes,
        )

    @contextmanager
    def _place(self, hour: datetime, name: str) -> Iterator[IO[bytes]]:
        """Open a file that appears in the landing zone once it is complete."""
        with self._landing.write(self._workspace, hour, name) as draft, draft.open("wb") as stream:
            yield stream


def _is_table(file: Path, copy: Path) -> bool:
    """Tell whether a file is a table by its name, and does not begin as JSON does."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in DECOMPRESSORS:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in TABLE_SUFFIXES:
        return False
    with copy.open("rb") as stream:
        return not stream.read(1024).lstrip(b"\xef\xbb\xbf \t\n").startswith((b"{", b"["))


def _load_table(connection: duckdb.DuckDBPyConnection, rows: Iterable[TableRow], copy: Path) -> list[bytes]:
    """Write the rows of a table as events, create the table `file_lines` of them, and return the rejected rows."""
    rejected = []
    with copy.open("wb") as stream:
        for row in rows:
            try:
                if row.values is not None:
                    named = zip(row.keys, row.values, strict=False)
                    stream.write(orjson.dumps({key: value for key, value in named if value}) + b"\n")
                    continue
            except orjson.JSONEncodeError:  # bytes that are no UTF-8
                pass
            rejected.append(_as_one_line(row.text.encode("utf-8", "surrogateescape")))
    load_file_lines(connection, copy)
    return rejected + _rejected_lines(connection, copy)


def _rejected_lines(connection: duckdb.DuckDBPyConnection, copy: Path) -> list[bytes]:
    """Return the lines that DuckDB rejected, byte for byte."""
    places = connection.execute(
        """
        select line_byte_position - 1, max(strlen(coalesce(csv_line, '')))
        from reject_errors group by line_byte_position order by line_byte_position
        """
    ).fetchall()
    with copy.open("rb") as stream:
        return [_as_one_line(_line_at(stream, start, size)) for start, size in places]


def _line_at(stream: BufferedIOBase, start: int, size: int) -> bytes:
    stream.seek(start)
    line = stream.read(size)
    return line + stream.readline() if size >= REPORTED_BYTES else line


def _as_one_line(text: bytes) -> bytes:
    """Escape the line breaks inside a row, so that it is quarantined as one line."""
    return re.sub(rb"\r\n|\r|\n", rb"\\n", text.strip(b"\r\n")) + b"\n"


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in file.name.split(".")[0]).strip("-_") or "events"


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
