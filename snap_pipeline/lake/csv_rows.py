"""Rows of CSV files to upload. Every line that is not blank is in a row, or in a rejected one."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from snap_pipeline.lake.table_rows import HEADER_ROWS, EventFields, Header, TableRow, UnusableFile, listed
from snap_pipeline.lake.text_files import MAXIMUM_LINE_BYTES

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
MAXIMUM_ROW_LINES = 1_000
"""A quote that is open for longer was not closed."""


class _Row(NamedTuple):
    values: list[str] | None
    text: str


@dataclass
class _Lines:
    """Lines that can be given back. Those taken since the last row are noted."""

    source: Iterator[str]
    taken: list[str] = field(default_factory=list)
    given_back: deque[str] = field(default_factory=deque)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) == MAXIMUM_ROW_LINES:
            raise csv.Error("a row of too many lines")
        line = self.given_back.popleft() if self.given_back else next(self.source)
        self.taken.append(line)
        return line

    def keep_first(self) -> None:
        """Give back all lines that were taken, except the first one."""
        self.given_back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def read_csv(file: Path, copy: Path, fields: EventFields, *, is_cut_off: bool) -> tuple[Header, Iterator[TableRow]]:
    """Return the header of a CSV file and its rows, without blank lines and header.

    Args:
        file: the file, to be named in an error.
        copy: its clean copy.
        fields: the fields of events.
        is_cut_off: whether the file's last line may not be complete, and so cannot be trusted.

    Raises:
        UnusableFile: no name in the first lines is the name of an event field.
    """
    csv.field_size_limit(MAXIMUM_LINE_BYTES)
    with copy.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        head = list(islice(stream, HEADER_ROWS))
    found = [
        (fields.header(row.values), delimiter, row.text)
        for delimiter in DELIMITERS
        for row in _rows(head, delimiter, None)
        if row.values
    ]
    # Without a known column, what the first line most probably is: the split into the most columns.
    header, delimiter, text = max(
        found, key=lambda each: (each[0].known, len(each[0].keys)), default=(Header([], []), ",", "")
    )
    if not header.known:
        raise UnusableFile(
            f"{file} was not landed, since none of its columns is one that events have. {_seen(header, delimiter)} "
            "Its first line must hold the names of its columns, such as "
            "event_id,event_name,event_timestamp,email,value,currency,order_id: put such a line first, or rename the "
            "columns. Separators may be commas, semicolons, tabs or vertical bars."
        )
    return header, _rows_without(text, copy, delimiter, header.keys, is_cut_off=is_cut_off)


def _seen(header: Header, delimiter: str) -> str:
    """Describe the columns of a header, and how they were told apart."""
    if not header.keys:
        return "It has no line that can be split into columns."
    names = listed(header.unknown)
    if len(header.keys) == 1:
        return f"It seems to have a single column: {names}."
    return f"Separated by {DELIMITERS[delimiter]}, they are: {names}."


def _rows_without(
    header: str, copy: Path, delimiter: str, keys: Sequence[str], *, is_cut_off: bool
) -> Iterator[TableRow]:
    """Yield the rows of a file except its header; rows above the header are rejected."""
    with copy.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        is_above = True
        for row in _rows(stream, delimiter, len(keys)):
            if is_above and row.text == header:
                is_above = False
            elif not (is_above and row.text.startswith("sep=")):
                is_cut = is_cut_off and not row.text.endswith("\n")
                yield TableRow(keys, None if is_above or is_cut else row.values, row.text)


def _rows(lines: Iterable[str], delimiter: str, width: int | None) -> Iterator[_Row]:
    """Yield rows; those without as many values as the width, and those with a quote out of place, are rejected.

    An open quote costs its line and not those after it, which are read again without it.
    """
    source = _Lines(iter(lines))
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        source.taken.clear()
        values: list[str] | None
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            values = None
        if values is None or (width is not None and len(values) != width):
            if values is None or _is_row(source.taken[1:2], delimiter, width):
                source.keep_first()
            values = None
        text = "".join(source.taken)
        if text.strip(" \t\r\n"):
            yield _Row(values, text)


def _is_row(lines: list[str], delimiter: str, width: int | None) -> bool:
    return any(row.values for row in _rows(lines, delimiter, width))
