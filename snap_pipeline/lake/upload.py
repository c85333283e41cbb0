"""Upload of event files (`snap-pipeline land`) into the folders of their hours.

Takes NDJSON, NDJSON.gz, a JSON array or a CSV file with a header. Lines stay as they were written; unreadable ones
land in the running hour, where they are quarantined and counted.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.csv_rows import read_header, reject_unclosed_quotes, rejected_rows
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


@dataclass(frozen=True)
class Landed:
    """Counts of one landed file.

    Attributes:
        lines: the number of all lines.
        unreadable: the number of lines that are no event and will be quarantined.
        hours: the number of lines by hour.
    """

    lines: int
    unreadable: int
    hours: dict[datetime, int]


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
            UnusableFile: a CSV file without a header, or with a quote that is never closed.
        """
        copy = None
        try:
            copy = self._landing.scratch_file(file.name)
            digest = _digest(file)
            has_nul = write_clean_copy(file, copy)
            with self._lake.connect_with_macros() as connection:
                self._read(connection, file, copy)
                # Text may hold a stray NUL byte; without a single event, the file is no text.
                if has_nul and not self._events(connection):
                    return self._land_whole(file, digest)
                return self._write(connection, f"{_stem(file)}-{digest}")
        except DamagedFile:
            return self._land_whole(file, digest)
        except OSError as error:
            raise LakeError(
                f"{file} could not be landed in {self._landing.location}: {error.strerror or error}. Fix that and "
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
        """Create the table `placed`: a row for each line, with the hour to land in."""
        pattern = literal(as_pattern(copy.absolute()))
        if ".csv" in [suffix.lower() for suffix in file.suffixes[-2:]]:
            delimiter, names, skipped = read_header(connection, file, copy)
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
            reject_unclosed_quotes(connection, file, copy)
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
        self._rejected = rejected_rows(connection, copy)
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
        if self._rejected:
            running = self._hour or self._running_hour
            with self._place(running, f"{name}-unreadable.ndjson") as stream:
                stream.write(b"".join(self._rejected))
            hours[running] = hours.get(running, 0) + len(self._rejected)
        lines = sum(hours.values())
        return Landed(lines, lines - self._events(connection), hours)

    @contextmanager
    def _place(self, hour: datetime, name: str) -> Iterator[IO[bytes]]:
        """Open a file that appears in the landing zone once it is complete."""
        with self._landing.write(self._workspace, hour, name) as draft, draft.open("wb") as stream:
            yield stream


def _is_array(connection: duckdb.DuckDBPyConnection, copy: Path, pattern: str) -> bool:
    with copy.open("rb") as stream:
        if not stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return False
    try:
        connection.execute(f"select count(json) from read_json_objects({pattern}, format = 'array')")
    except duckdb.InvalidInputException:
        return False
    return True


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def _stem(file: Path) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in file.name.split(".")[0]).strip("-_") or "events"


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
