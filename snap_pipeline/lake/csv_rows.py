"""CSV files to upload: their header, and the rows that DuckDB rejects."""

import csv
import re
from contextlib import suppress
from io import BufferedIOBase
from operator import itemgetter
from pathlib import Path

import duckdb

from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.lake import sql

DELIMITERS = (",", ";", "\t", "|")
REPORTED_BYTES = 9_990
"""DuckDB reports a rejected line up to its 10,000th byte, or the character before it. A longer one is read to its end
from the file."""


class UnusableFile(PipelineError):
    """A CSV file that cannot be landed: it has no header, or a quote that is never closed."""


def read_header(connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> tuple[str, list[str], int]:
    """Return the delimiter of a CSV file, its unique column names, and the number of lines up to the header.

    Args:
        connection: runs SQL, which knows the names of event fields.
        file: the file, to be named in an error.
        copy: its clean copy.

    Raises:
        UnusableFile: no name in the first line is the name of an event field.
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
            "event_id,event_name,event_timestamp,email,value,currency,order_id, and holds none that events have. Put "
            "such a line first, or rename the columns."
        )
    columns: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        own = fields.get(name.lower(), name)
        own = own if own and own.lower() not in columns else f"{own or 'column'}_{number}"
        columns[own.lower()] = own
    return delimiter, list(columns.values()), lines


def reject_unclosed_quotes(connection: duckdb.DuckDBPyConnection, file: Path, copy: Path) -> None:
    """Reject a file with an unclosed quote: all rows up to the next quote would be read as one value.

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


def rejected_rows(connection: duckdb.DuckDBPyConnection, copy: Path) -> list[bytes]:
    """Return the rows that DuckDB rejected, byte for byte, each as one line.

    They are found by byte position and not by line number, since DuckDB counts a CSV row with quoted line breaks once.
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
    # Line breaks inside the row are escaped, so that one row is quarantined as one line. Those around it are dropped:
    # DuckDB counts line breaks before a row as part of it.
    return re.sub(rb"\r\n|\r|\n", rb"\\n", row.strip(b"\r\n")) + b"\n"
