"""Any CSV file: each of its rows lands as an event or is quarantined, and good rows keep their values."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.upload import Upload
from snap_pipeline_tests.project import HOUR, Project
from snap_pipeline_tests.properties.hour import few_hours

TABLES = ("raw_events", "quarantined_lines")
COLUMNS = ("event_id", "first_name", "city", "properties")
texts = st.text(
    st.sampled_from("aZ0 '\"#,;|\t\n\r\\\\%&=-äß€😀\u2028")
    | st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
    max_size=9,
)
words_for_rows = texts | st.sampled_from(
    ["NULL", "null", "#N/A", '""', '"', "''", "--", "//", "#", "%", "\\\\", "sep=;", "{}", "[]"]
)
junk = st.text(st.sampled_from("ab#%,;'/ -\""), min_size=1, max_size=12).map(lambda text: f"x{text}")
"""Lines that are no rows, or not of the header's width; they begin with a letter, so that none is JSON."""


@dataclass
class Outcome:
    """Outcome of a table: what `land` said, what landed, and what the hour read."""

    lines: int
    unreadable: int
    events: list[dict[str, Any]]
    read: int
    quarantined: int


class Tables:
    """Runner of tables, each of which lands in an hour that is empty again afterwards."""

    def __init__(self, home: Path) -> None:
        self._project, self._file = Project(home, "http://127.0.0.1:9"), home / "table.csv"
        settings = self._project.settings
        self._upload = Upload(
            self._project.pipeline.lake,
            self._project.pipeline.landing,
            workspace="default",
            origin=None,
            hour=HOUR,
            first_hour=settings.first_hour,
            running_hour=settings.running_hour,
        )

    def land(self, text: str) -> Outcome:
        """Land a table and read its hour."""
        pipeline = self._project.pipeline
        self._file.write_bytes(text.encode())
        landed = self._upload.land(self._file)
        files = pipeline.landing.listing(HOUR)
        made = make_raw_events(pipeline.lake, pipeline.landing, HOUR)
        texts = [pipeline.landing.path(file).read_text() for file in files if "unreadable" not in file.source_file]
        pipeline.landing.delete(files, HOUR)
        pipeline.lake.storage.delete([f"{table}/hour=2026-11-20T12/data.parquet" for table in TABLES])
        events = [json.loads(line) for each in texts for line in each.split("\n")[:-1]]
        return Outcome(landed.lines, landed.unreadable, events, made.rows, made.quarantined)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    yield Tables(tmp_path_factory.mktemp("tables"))


@settings(few_hours, max_examples=25)
@given(
    rows=st.lists(st.lists(words_for_rows, min_size=3, max_size=3), max_size=25),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_break=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    blank=st.lists(st.sampled_from(["", " ", "\t"]), max_size=3),
)
def test_every_row_of_a_csv_lands_with_its_values(
    tables: Tables, rows: list[list[str]], delimiter: str, line_break: str, quoting: int, blank: list[str]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_break, quoting=quoting)
    writer.writerow(COLUMNS)
    for number, row in enumerate(rows):
        # Without quotes, a line break of any kind ends the row; the writer quotes its own kind alone.
        quoted = row if quoting == csv.QUOTE_ALL else [line_break.join(value.splitlines()) for value in row]
        writer.writerow([f"e{number}", *quoted])
        out.write("".join(f"{line}{line_break}" for line in blank))
    landed = tables.land(out.getvalue())
    assert (landed.lines, landed.unreadable) == (len(rows), 0)
    assert [event["event_id"] for event in landed.events] == [f"e{number}" for number in range(len(rows))]
    for row, event in zip(rows, landed.events, strict=True):
        values = [event.get(column, "") for column in COLUMNS[1:]]
        assert [_plain(value) for value in values] == [_plain(value) for value in row]


@settings(few_hours, max_examples=25)
@given(lines=st.lists(junk | st.integers(0, 99), min_size=1, max_size=30), line_break=st.sampled_from(["\n", "\r\n"]))
def test_every_line_of_a_table_lands_or_is_quarantined(tables: Tables, lines: list[str | int], line_break: str) -> None:
    """Whatever quotes, comment marks and delimiters are in the lines."""
    written = [line if isinstance(line, str) else f"e{line},Ann,Rome,{{}}" for line in lines]
    landed = tables.land("".join(f"{line}{line_break}" for line in [",".join(COLUMNS), *written]))
    assert landed.lines == landed.read + landed.quarantined
    assert landed.unreadable == landed.quarantined
    # A quote that is closed in a later line makes one row of several lines. Nothing else does.
    quoted = sum('"' in line for line in written)
    assert len(lines) - quoted <= landed.lines <= len(lines) if quoted > 1 else landed.lines == len(lines)


def _plain(value: str) -> str:
    """Return a value without what differs: kinds of line breaks, blanks at its beginning, a control byte."""
    return "\n".join(value.splitlines()).replace("\x01", "\x02").lstrip(" ")
