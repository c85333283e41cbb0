"""`snap-pipeline land`: puts a file's events into the folders of their hours.

NDJSON, NDJSON.gz, a JSON array or a CSV file with a header. A line stays as it was written; what cannot be read
goes to the running hour, where it is quarantined and counted.
"""

import csv
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from operator import itemgetter
from pathlib import Path
from typing import IO

import duckdb

from snap_pipeline.errors import LakeError, PipelineError
from snap_pipeline.lake.lake import Lake, sql
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.storage import literal
from snap_pipeline.lake.text_files import (
    DECOMPRESSORS,
    MAXIMUM_LINE_BYTES,
    DamagedFile,
    as_pattern,
    read_lines,
    write_clean_copy,
)

LINES_AT_ONCE = 10_000
DELIMITERS = (",", ";", "\t", "|")
REPORTED_BYTES = 9_990
"""DuckDB reports a refused line up to its 10,000th byte, or the character before it. The line's end ends a longer
one."""


class UnusableFile(PipelineError):
    """A CSV file of which nothing lands: without names of columns, or with a quote that is never closed."""


@dataclass(frozen=True)
class Landed:
    """What one file became.

    Attributes:
        lines: in all.
        unreadable: lines that are no event; they will be quarantined.
        hours: lines by hour.
    """

    lines: int
    unreadable: int
    hours: dict[datetime, int]


class Upload:
    """Lands files of one workspace.

    Args:
        lake: lends its DuckDB.
        landing: where events land.
        workspace: whose events these are.
        origin: what events that do not say it themselves came by, such as `csv`.
        hour: the hour to land in; None for each event's own.
        first_hour: nothing lands before it.
        running_hour: takes what has no usable time.
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
        """Lands one file. Landing it again changes nothing, since the names come from its content.

        Raises:
            LakeError: the file cannot be read, or the landing zone cannot be written.
            UnusableFile: a CSV file without the names of its columns, or with a quote that is never closed.
        """
        copy = None
        try:
            copy = self._landing.scratch_file(file.name)
            digest = _digest(file)
            has_nul = write_clean_copy(file, copy)
            with self._lake.connect_with_macros() as connection:
                self._read(connection, file, copy)
                # Text may hold a stray NUL byte; where no line is an event either, it is no text.
                if has_nul and not self._events(connection):
                    return self._land_whole(file, digest)
                return self._write(connection, f"{_stem(file)}-{digest}")
        except DamagedFile:
            return self._land_whole(file, digest)
        except OSError as error:
            raise LakeError(
                f"{file} could not be landed in {self._landing.location}: {error.strerror or error}. Mend that and "
                "land the file again; nothing of it lands twice."
            ) from error
        finally:
            if copy:
                copy.unlink(missing_ok=True)

    def _land_whole(self, file: Path, digest: str) -> Landed:
        hour = self._hour or self._running_hour
        suffix = file.suffix.lower() if file.suffix.lower() in DECOMPRESSORS else ""
        with self._place(hour, f"{_stem(file)}-{digest}.ndjson{suffix}") as stream, file.open("rb") as content:
            shutil.copyfileobj(content, stream)
        return Landed(1, 1, {hour: 1})

    def _read(self, connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> None:
        """Makes the table `placed`: one row a line, with the hour that it belongs to."""
        pattern = literal(as_pattern(copy.absolute()))
        if ".csv" in [suffix.lower() for suffix in file.suffixes[-2:]]:
            delimiter, names, skipped = _read_header(connection, file, copy)
            columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
            connection.execute(
                f"""
                drop table if exists reject_errors;
                drop table if exists reject_scans;
                create temp table uploaded as
                select row_number() over () as position, json_merge_patch('{{}}', to_json(row))::varchar as line
                from read_csv(
                    {pattern}, columns = {{{columns}}}, auto_detect = false, header = false, skip = {skipped},
                    delim = {literal(delimiter)}, quote = '"', escape = '"', new_line = '\\n',
                    max_line_size = {MAXIMUM_LINE_BYTES}, store_rejects = true
                ) as row
                """
            )
            _refuse_unclosed_quotes(connection, file, copy)
        elif _is_array(connection, copy, pattern):
            connection.execute(
                f"""
                create temp table uploaded as
                select row_number() over () as position, json(json)::varchar as line
                from read_json_objects({pattern}, format = 'array')
                """
            )
        else:
            read_lines(connection, copy)
            connection.execute(
                "create temp table uploaded as from read_lines where regexp_matches(line, '[^ \\t\\r\\n]')"
            )
        self._refused = _refused_lines(connection, copy)
        values = {
            "origin": self._origin,
            "given_hour": _naive(self._hour),
            "first_hour": _naive(self._first_hour),
            "running_hour": _naive(self._running_hour),
            "maximum_line_bytes": MAXIMUM_LINE_BYTES,
        }
        connection.execute(f"create temp table placed as {sql('uploaded_lines')}", values)

    @staticmethod
    def _events(connection: duckdb.DuckDBPyConnection) -> int:
        row = connection.execute("select count(*) from placed where is_event").fetchone()
        return int(row[0]) if row else 0

    def _write(self, connection: duckdb.DuckDBPyConnection, name: str) -> Landed:
        counts = connection.execute("select hour, count(*) from placed group by hour order by hour").fetchall()
        hours = {hour.replace(tzinfo=UTC): lines for hour, lines in counts}
        for hour in hours:
            with self._place(hour, f"{name}.ndjson") as stream:
                connection.execute("select line from placed where hour = ? order by position", [_naive(hour)])
                while rows := connection.fetchmany(LINES_AT_ONCE):
                    stream.write("".join(f"{line}\n" for (line,) in rows).encode())
        if self._refused:
            running = self._hour or self._running_hour
            with self._place(running, f"{name}-unreadable.ndjson") as stream:
                stream.write(b"".join(self._refused))
            hours[running] = hours.get(running, 0) + len(self._refused)
        lines = sum(hours.values())
        return Landed(lines, lines - self._events(connection), hours)

    @contextmanager
    def _place(self, hour: datetime, name: str) -> Iterator[IO[bytes]]:
        """A file that appears in the landing zone when it is complete."""
        with self._landing.write(self._workspace, hour, name) as draft, draft.open("wb") as stream:
            yield stream


def _read_header(connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> tuple[str, list[str], int]:
    """Return the delimiter of a CSV file, the names of its columns, each once, and the number of lines up to them.

    Args:
        connection: tells which names events have.
        file: whose name an error says.
        copy: its clean copy.

    Raises:
        UnusableFile: none of the names in the first line is one of an event.
    """
    rows = connection.execute(f"select unnest(json_keys(to_json(({sql('landed_event')}))))").fetchall()
    fields = {name.lower(): name for (name,) in rows}
    found: list[tuple[int, str, list[str], int]] = []
    for delimiter in DELIMITERS:
        with copy.open(encoding="utf-8-sig", errors="replace", newline="") as stream, suppress(csv.Error):
            rows_read = csv.reader(stream, delimiter=delimiter)
            names = [name.strip() for name in next(filter(any, rows_read), [])]
            found.append((sum(name.lower() in fields for name in names), delimiter, names, rows_read.line_num))
    known, delimiter, names, lines = max(found, key=itemgetter(0), default=(0, "", [], 0))
    if not known:
        raise UnusableFile(
            f"{file} was not landed: its first line must hold the names of its columns, such as "
            "event_id,event_name,event_timestamp,email,value,currency,order_id, and none of those that stand there is "
            "one that events have. Put such a line first, or rename the columns."
        )
    columns: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        own = fields.get(name.lower(), name)
        own = own if own and own.lower() not in columns else f"{own or 'column'}_{number}"
        columns[own.lower()] = own
    return delimiter, list(columns.values()), lines


def _refuse_unclosed_quotes(connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> None:
    """Reject a file with a quote that is never closed: all rows up to the next quote would pass for one value.

    Raises:
        UnusableFile: with the number of the line.
    """
    row = connection.execute(
        f"""
        select min(line_byte_position - 1) from reject_errors
        where error_type = 'UNQUOTED VALUE' and (contains(csv_line, E'\\n') or strlen(csv_line) >= {REPORTED_BYTES})
        """
    ).fetchone()
    if row and row[0] is not None:
        with copy.open("rb") as stream:
            line = stream.read(row[0]).count(b"\n") + 1
        raise UnusableFile(
            f"{file} was not landed: a quote is opened in line {line} and not closed before the next value, so that "
            "the rows after it cannot be told apart. Close the quote, or double it where it is part of the value."
        )


def _is_array(connection: duckdb.DuckDBPyConnection, copy: Path, pattern: str) -> bool:
    with copy.open("rb") as stream:
        if not stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return False
    try:
        connection.execute(f"select count(json) from read_json_objects({pattern}, format = 'array')")
    except duckdb.InvalidInputException:
        return False
    return True


def _refused_lines(connection: duckdb.DuckDBPyConnection, copy: Path) -> list[bytes]:
    """The lines and rows that DuckDB would not read, byte for byte, each as one line.

    They are found by their bytes and not by their number, since DuckDB counts a CSV row with line breaks in quotes
    once.
    """
    known = connection.execute("select count(*) from duckdb_tables() where table_name = 'reject_errors'").fetchone()
    if not known or not known[0]:
        return []
    places = connection.execute(
        """
        select line_byte_position - 1, max(strlen(coalesce(csv_line, '')))
        from reject_errors group by line_byte_position order by line_byte_position
        """
    ).fetchall()
    with copy.open("rb") as stream:
        return [_row_at(stream, start, size) for start, size in places]


def _row_at(stream: BufferedIOBase, start: int, size: int) -> bytes:
    stream.seek(start)
    row = stream.read(size)
    if size >= REPORTED_BYTES:
        row += stream.readline()
    # A line break inside the row is written as JSON writes it, so that one row is quarantined as one line. DuckDB
    # counts the line breaks before a row to it.
    return re.sub(rb"\r\n|\r|\n", rb"\\n", row.strip(b"\r\n")) + b"\n"


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in file.name.split(".")[0]).strip("-_") or "events"


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
