"""`snap-pipeline land`: puts a file's events into the folders of their hours.

NDJSON, NDJSON.gz, a JSON array or a CSV file with a header. A line stays as it was written; what cannot be read
goes to the running hour, where it is quarantined and counted.
"""

import gzip
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path
from typing import IO

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.drafts import new_draft
from snap_pipeline.lake.lake import Lake, literal, sql
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.raw import MAXIMUM_LINE_BYTES, as_pattern, why_not_text

LINES_AT_ONCE = 10_000
REPORTED_BYTES = 9_990
"""DuckDB reports a refused line up to its 10,000th byte, or the character before it. The line's end ends a longer
one."""


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
        """
        try:
            digest = _digest(file)
            if why_not_text(file):
                return self._land_whole(file, digest)
            with self._lake.connect_with_macros() as connection:
                self._read(connection, file)
                return self._write(connection, f"{_stem(file)}-{digest}")
        except OSError as error:
            raise LakeError(f"{file} could not be landed: {error.strerror or error}.") from error

    def _land_whole(self, file: Path, digest: str) -> Landed:
        hour = self._hour or self._running_hour
        suffix = ".ndjson.gz" if file.suffix == ".gz" else ".ndjson"
        with self._place(hour, f"{_stem(file)}-{digest}{suffix}") as stream, file.open("rb") as content:
            shutil.copyfileobj(content, stream)
        return Landed(1, 1, {hour: 1})

    def _read(self, connection: duckdb.DuckDBPyConnection, file: Path) -> None:
        """Makes the table `uploaded`, one row a line."""
        pattern = literal(as_pattern(file.absolute()))
        if ".csv" in file.suffixes[-2:]:
            connection.execute(
                f"""
                create temp table uploaded as
                select row_number() over () as position, json_merge_patch('{{}}', to_json(row))::varchar as line
                from read_csv({pattern}, header = true, all_varchar = true, store_rejects = true) as row
                """
            )
        elif _is_array(connection, file, pattern):
            connection.execute(
                f"""
                create temp table uploaded as
                select row_number() over () as position, json(json)::varchar as line
                from read_json_objects({pattern}, format = 'array')
                """
            )
        else:
            connection.execute(
                f"""
                create temp table uploaded as
                select row_number() over () as position, line
                from read_csv(
                    {pattern}, columns = {{'line': 'VARCHAR'}}, auto_detect = false, header = false, delim = '\x01',
                    quote = '', escape = '', strict_mode = false, max_line_size = {MAXIMUM_LINE_BYTES},
                    store_rejects = true
                )
                where regexp_matches(line, '[^ \\t\\r\\n]')
                """
            )
        self._refused = _refused_lines(connection, file)

    def _write(self, connection: duckdb.DuckDBPyConnection, name: str) -> Landed:
        values = {
            "origin": self._origin,
            "given_hour": _naive(self._hour),
            "first_hour": _naive(self._first_hour),
            "running_hour": _naive(self._running_hour),
            "maximum_line_bytes": MAXIMUM_LINE_BYTES,
        }
        connection.execute(f"create temp table placed as {sql('uploaded_lines')}", values)
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
        row = connection.execute("select count(*) filter (where not is_event) from placed").fetchone()
        unreadable = len(self._refused) + (row[0] if row else 0)
        return Landed(sum(hours.values()), unreadable, hours)

    @contextmanager
    def _place(self, hour: datetime, name: str) -> Iterator[IO[bytes]]:
        """A file that appears in the landing zone when it is complete."""
        folder = self._landing.folder(self._workspace, hour)
        folder.mkdir(parents=True, exist_ok=True)
        draft = new_draft(self._landing.root, folder / name)
        try:
            with draft.open("wb") as stream:
                yield stream
            draft.replace(folder / name)
        finally:
            draft.unlink(missing_ok=True)


def _is_array(connection: duckdb.DuckDBPyConnection, file: Path, pattern: str) -> bool:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        if not stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return False
    try:
        connection.execute(f"select count(json) from read_json_objects({pattern}, format = 'array')")
    except duckdb.InvalidInputException:
        return False
    return True


def _refused_lines(connection: duckdb.DuckDBPyConnection, file: Path) -> list[bytes]:
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
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
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
