"""Reading of landing files: events, quarantined lines, and errors that fail the hour."""

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
import zstandard

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.hour_reader import HourReader, RawHour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.text_files import MAXIMUM_LINE_BYTES
from snap_pipeline_tests.project import HOUR, Project, purchase

GOOD = '{"event_id":"good","event_name":"purchase"}'


def make(project: Project) -> RawHour:
    return make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)


def quarantined(project: Project) -> list[tuple[str, int | None, str]]:
    rows = project.rows("quarantined_lines", "from {table} order by all")
    return [(Path(row["source_file"]).name, row["line_number"], row["reason"]) for row in rows]


def test_an_hour_that_never_had_files_is_empty(project: Project) -> None:
    assert make(project) == RawHour(rows=0, quarantined=0, files=0, kept_files=0)
    assert project.rows("raw_events") == []


def test_both_spellings_are_read_into_the_same_columns(project: Project) -> None:
    project.land(
        {"type": "track", "event": "Order Completed", "messageId": "a", "timestamp": "2026-11-20T12:00:00Z"},
        {"event_name": "Order Completed", "event_id": "b", "event_timestamp": "2026-11-20 13:00:00+01:00"},
    )
    make(project)
    columns = "select event_id, event_name, event_time::varchar as at from {table} order by 1"
    assert [tuple(row.values()) for row in project.rows("raw_events", columns)] == [
        ("a", "Order Completed", "2026-11-20 12:00:00"),
        ("b", "Order Completed", "2026-11-20 12:00:00"),
    ]


def test_a_bad_line_leaves_the_others_in_the_order_in_which_they_landed(project: Project) -> None:
    """The first of two events with one id is kept, whichever other line is bad."""
    padding = "x" * 300
    lines = [f'{{"event_id":"{number}","event_name":"purchase","user_agent":"{padding}"}}' for number in range(20_000)]
    project.land_bytes("\n".join([*lines[:300], "{bad", *lines[300:]]).encode(), "mixed.ndjson")
    for _ in range(5):
        make(project)
        assert [int(row["event_id"]) for row in project.rows("raw_events")] == list(range(20_000))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":', "malformed_json"),
        (b"plain text", "malformed_json"),
        (b"42", "not_an_object"),
        (b"null", "not_an_object"),
        (b'["x"]', "not_an_object"),
        (b'{"a":"\xff\xfe"}', "not_utf8"),
        (b'{"a":"\\ud800"}', "malformed_json"),
        (b'{"a":"\0}', "malformed_json"),
        (b'{"a":"\x01"}', "malformed_json"),
        (b"\0\x01\0" * 9, "malformed_json"),
        (b"\x01\xff\x01\xfe", "not_utf8"),
        (b'{"a":"' + b"x" * MAXIMUM_LINE_BYTES + b'"}', "line_too_long"),
        (b'{"a":"' + b"x" * 40_000_000 + b'"}', "line_too_long"),
    ],
)
def test_a_bad_line_is_quarantined_with_its_number_and_the_rest_goes_on(
    project: Project, line: bytes, reason: str
) -> None:
    project.land_bytes(f"{GOOD}\n\n".encode() + line + f"\n{GOOD}".encode(), "mixed.ndjson")
    project.land(GOOD, name="clean")
    assert make(project).rows == 3
    assert quarantined(project) == [("mixed.ndjson", 3, reason)]


def test_a_line_that_is_not_too_long_is_read_beside_a_bad_one_and_without(project: Project) -> None:
    # DuckDB counts line breaks to the length of a line, so that the limit is known to a few bytes.
    long = b'{"a":"' + b"x" * (MAXIMUM_LINE_BYTES - 100) + b'"}\n'
    project.land_bytes(long, "alone.ndjson")
    project.land_bytes(b"broken\n" + long, "mixed.ndjson")
    assert make(project).rows == 2
    assert quarantined(project) == [("mixed.ndjson", 1, "malformed_json")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("cut.ndjson.gz", gzip.compress(GOOD.encode() * 1000)[:-20], "damaged_gzip"),
        ("plain.ndjson.gz", GOOD.encode(), "damaged_gzip"),
        ("empty.ndjson.gz", bytes(99), "damaged_gzip"),
        ("plain.ndjson.zst", GOOD.encode(), "damaged_zstd"),
        ("cut.ndjson.zst", zstandard.compress(GOOD.encode() * 1000)[:-3], "damaged_zstd"),
        ("binary.ndjson", bytes(range(256)) * 50, "not_text"),
    ],
)
def test_a_file_that_is_no_text_is_quarantined_whole(project: Project, name: str, content: bytes, reason: str) -> None:
    project.land_bytes(content, name)
    project.land(GOOD, name="clean")
    assert make(project).rows == 1
    assert quarantined(project) == [(name, None, reason)]


def test_gzip_crlf_byte_order_mark_and_odd_names_are_read(project: Project) -> None:
    project.land_bytes(gzip.compress(f"{GOOD}\n".encode()), "zipped.ndjson.gz")
    project.land_bytes(f"{GOOD}\r\n{GOOD}\r\n".encode(), "win[1]*?.ndjson")
    project.land_bytes(b"\xef\xbb\xbf" + GOOD.encode(), "it's.ndjson")
    assert make(project).rows == 4
    assert quarantined(project) == []


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("bad", ["", "broken\n"], ids=["good lines", "a bad line"])
def test_what_fills_up_a_compressed_file_or_is_appended_to_it_is_read_as_its_tools_do(
    project: Project, suffix: str, bad: str
) -> None:
    part = {".gz": gzip.compress, ".zst": zstandard.compress}[suffix](f"{GOOD}\n{bad}".encode())
    project.land_bytes(part + part, f"two.ndjson{suffix}")
    project.land_bytes(part + bytes(512) + part + bytes(512), f"filled.ndjson{suffix}")
    assert make(project).rows == 4
    numbers = [2, 4] if bad else []
    assert quarantined(project) == [
        (f"{name}.ndjson{suffix}", number, "malformed_json") for name in ("filled", "two") for number in numbers
    ]


def test_lines_that_end_in_different_ways_are_read_and_counted_alike(project: Project) -> None:
    lines = [GOOD, "", "broken", GOOD, "{", GOOD]
    for name, breaks in {"cr": ["\r"], "crlf": ["\r\n"], "all": ["\n", "\r\n", "\r"]}.items():
        content = "".join(line + breaks[number % len(breaks)] for number, line in enumerate(lines))
        project.land_bytes(content.encode(), f"{name}.ndjson")
    assert make(project).rows == 9
    assert quarantined(project) == [
        (f"{name}.ndjson", number, "malformed_json") for name in ("all", "cr", "crlf") for number in (3, 5)
    ]


def test_a_file_whose_name_is_no_utf8_is_read_under_a_name_that_is(project: Project) -> None:
    name = os.fsdecode(b"caf\xe9.ndjson")
    landed = project.land_bytes(f"{GOOD}\nbroken\n".encode(), name)
    project.land(GOOD, name="clean")
    assert make(project).rows == 2
    assert quarantined(project) == [("caf\\xe9.ndjson", 2, "malformed_json")]
    landed.unlink()
    made = make(project)
    assert (made.rows, made.quarantined, made.kept_files) == (2, 1, 1)


def test_a_file_that_cannot_be_opened_is_named_with_what_to_do(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.land(GOOD, name="kept")
    make(project)
    locked = project.land("broken", name="locked")
    opened = Path.open

    def refused(path: Path, *arguments: Any) -> IO[Any]:
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(LakeError, match=r"locked\.ndjson cannot be read: Permission denied\. Fix its permissions"):
        make(project)
    assert len(project.rows("raw_events")) == 1


def test_drafts_are_not_read(project: Project) -> None:
    for name in (".hidden.ndjson", "_SUCCESS", "part.ndjson.tmp"):
        project.land_bytes(GOOD.encode(), name)
    assert make(project).files == 0


def test_an_event_without_an_id_gets_the_same_one_each_time(project: Project) -> None:
    project.land({"event_name": "purchase", "value": 1}, {"event_name": "purchase", "value": 2})
    make(project)
    first = project.rows("raw_events", "select event_id from {table}")
    make(project)
    assert project.rows("raw_events", "select event_id from {table}") == first
    assert len({row["event_id"] for row in first}) == 2


def test_files_that_are_gone_keep_their_rows(project: Project) -> None:
    early = project.land(purchase("early"), "broken", name="early")
    project.land(purchase("late"), name="late")
    make(project)
    early.unlink()
    made = make(project)
    assert (made.rows, made.quarantined, made.files, made.kept_files) == (2, 1, 1, 1)
    assert make(project).rows == 2


def test_a_file_that_vanishes_while_it_is_read_fails_the_hour_and_keeps_the_partition(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.land(purchase("kept"), name="kept")
    make(project)
    doomed = project.land(purchase("doomed"), name="doomed")
    reader = HourReader
    monkeypatch.setattr(reader, "read", vanishing(reader.read, doomed))
    with pytest.raises(LakeError, match=r"doomed\.ndjson"):
        make(project)
    assert [row["event_id"] for row in project.rows("raw_events")] == ["kept"]


def vanishing(read: Callable[..., object], file: Path) -> object:
    def wrapped(self: object, *files: object) -> object:
        file.unlink(missing_ok=True)
        return read(self, *files)

    return wrapped


def test_a_lake_that_cannot_be_written_keeps_the_partition(project: Project) -> None:
    project.land(purchase("kept"))
    make(project)
    project.land(purchase("more"), name="more")
    project.pipeline.lake.storage.path("").chmod(0o500)
    folder = project.pipeline.lake.storage.path(partition(Table.RAW_EVENTS, HOUR)).parent
    if os.geteuid() == 0:  # root writes everywhere, so a file in the folder's place stands for the refusal
        project.pipeline.lake.storage.path("").chmod(0o700)
        quarantine = project.pipeline.lake.storage.path("") / "quarantined_lines"
        quarantine.rename(quarantine.with_name("aside"))
        quarantine.write_text("in the way")
    with pytest.raises(LakeError, match="could not be used"):
        make(project)
    assert [row["event_id"] for row in project.rows("raw_events")] == ["kept"]
    assert not list(folder.glob(".*.tmp"))


def test_a_configured_layout_is_followed(project: Project) -> None:
    project.reopen(landing_layout="s3/{workspace}/year=%Y/month=%m/day=%d/%H")
    project.land(GOOD)
    assert make(project).rows == 1
    assert project.pipeline.landing.hours() == {parse_hour("2026-11-20T12")}
