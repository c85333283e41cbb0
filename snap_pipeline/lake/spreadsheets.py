"""Rows of spreadsheets to upload, from every sheet that has a header of event fields."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd

from snap_pipeline.lake.table_rows import HEADER_ROWS, EventFields, Header, TableRow, UnusableFile, listed

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})


class Spreadsheet:
    """A spreadsheet's sheets of events.

    Args:
        file: the file.
        fields: the fields of events.

    Attributes:
        unread_sheets: names of the sheets with rows and without a header of event fields.

    Raises:
        UnusableFile: it cannot be opened, or no sheet has a header of event fields.
    """

    def __init__(self, file: Path, fields: EventFields) -> None:
        try:
            sheets = pd.read_excel(
                file, sheet_name=None, header=None, dtype=object, engine="calamine", keep_default_na=False
            )
        except OSError:
            raise
        except Exception as error:  # each format has errors of its own
            raise UnusableFile(
                f"{file} was not landed: it is no spreadsheet that can be read, or it is protected. Save it again as "
                ".xlsx without a password, or as CSV."
            ) from error
        self._sheets: list[tuple[Header, int, list[list[str | float]]]] = []
        self.unread_sheets: list[str] = []
        for name, frame in sheets.items():
            rows = [row for row in (list(map(_value, row)) for row in frame.to_numpy(dtype=object)) if any(row)]
            headers = [fields.header(map(str, row)) for row in rows[:HEADER_ROWS]]
            place = max(range(len(headers)), key=lambda each: headers[each].known, default=0)
            if headers and headers[place].known:
                self._sheets.append((headers[place], place, rows))
            elif rows:
                self.unread_sheets.append(str(name))
        if not self._sheets:
            cells = [str(_value(cell)) for frame in sheets.values() for cell in _first_row(frame)]
            first_rows = [name for name in cells if name]
            seen = f"The first rows hold: {listed(first_rows)}. " if first_rows else ""
            raise UnusableFile(
                f"{file} was not landed, since no column of its sheets is one that events have. {seen}The first row of "
                "a sheet must hold the names of its columns, such as event_id, event_name, event_timestamp, email, "
                "value, currency, order_id: put such a row first, or rename the columns."
            )

    @property
    def unknown(self) -> Sequence[str]:
        """The columns that no event has, as they are written."""
        return list(dict.fromkeys(name for header, _, _ in self._sheets for name in header.unknown))

    def rows(self) -> Iterator[TableRow]:
        """Yield the rows sheet by sheet, without blank ones and headers; rows above a header are rejected."""
        for header, place, rows in self._sheets:
            for number, row in enumerate(rows):
                if number != place:
                    yield TableRow(header.keys, row if number > place else None, "\t".join(map(str, row)))


def _first_row(frame: pd.DataFrame) -> list[Any]:
    return list(frame.iloc[0]) if len(frame) else []


def _value(cell: Any) -> str | float:
    """Return a cell as a CSV file would have it, but a fraction as a number: its point is no thousands mark."""
    if cell is None or cell is pd.NaT:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else "" if cell != cell else cell  # noqa: PLR0124
    return str(cell).strip()
