"""Files that are not NDJSON in UTF-8: their events are those of the same file that is."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from snap_pipeline.lake.file_lines import LINES_AT_ONCE
from snap_pipeline.lake.hour_reader import RawHour
from snap_pipeline.lake.raw import lines_of_events, make_raw_events
from snap_pipeline_tests.project import HOUR, Project, purchase

EVENTS = [purchase("a", first_name="Zoë"), purchase("b", last_name="Müller"), purchase("c", city="Köln")]
TEXTS = [json.dumps(event, ensure_ascii=False) for event in EVENTS]
PRETTY = [json.dumps(event, ensure_ascii=False, indent=2) for event in EVENTS]
NDJSON = "".join(f"{text}\n" for text in TEXTS).encode()


def make(project: Project) -> RawHour:
    return make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)


def quarantined(project: Project) -> list[tuple[str, int | None, str]]:
    rows = project.rows("quarantined_lines", "from {table} order by all")
    return [(Path(row["source_file"]).name, row["line_number"], row["reason"]) for row in rows]


def events(project: Project) -> list[dict[str, Any]]:
    return project.rows("raw_events", "select * exclude (source_file) from {table}")


def lines(project: Project, name: str) -> list[int]:
    return lines_of_events(project.pipeline.lake, project.pipeline.landing, HOUR, f"default/2026-11-20T12/{name}")


LAYOUTS: dict[str, tuple[bytes, Sequence[int]]] = {
    "nothing between": ("".join(TEXTS).encode(), [1, 1, 1]),
    "blanks between": (" ".join(TEXTS).encode() + b"\n", [1, 1, 1]),
    "commas between": (",".join(TEXTS).encode(), [1, 1, 1]),
    "some line breaks": (f"{TEXTS[0]}\n{TEXTS[1]}{TEXTS[2]}".encode(), [1, 2, 2]),
    "commas at the ends of lines": (",\n".join(TEXTS).encode(), [1, 2, 3]),
    "list": (f"[{','.join(TEXTS)}]".encode(), [1, 1, 1]),
    "list, byte order mark": (f"\ufeff[{','.join(TEXTS)}]\n".encode(), [1, 1, 1]),
    "list by line": (("[\n" + ",\n".join(TEXTS) + "\n]\n").encode(), [2, 3, 4]),
    "lists by line": (f"[{TEXTS[0]}]\n[{TEXTS[1]},{TEXTS[2]}]".encode(), [1, 2, 2]),
    "indented objects": ("\n".join(PRETTY).encode(), [1, 13, 25]),
    "indented list": (json.dumps(EVENTS, indent=4, ensure_ascii=False).encode(), [2, 14, 26]),
    "indented list, CRLF": (json.dumps(EVENTS, indent=4).replace("\n", "\r\n").encode(), [2, 14, 26]),
    "body": (f'{{"batch":[{",".join(TEXTS)}]}}'.encode(), [1, 1, 1]),
    "body, other key": (f'{{"events":[{",".join(TEXTS)}]}}\n'.encode(), [1, 1, 1]),
    "bodies by line": (f'{{"batch":[{TEXTS[0]}]}}\n{{"batch":[{TEXTS[1]},{TEXTS[2]}]}}'.encode(), [1, 2, 2]),
    "indented body": (json.dumps({"events": EVENTS}, indent=1).encode(), [1, 1, 1]),
    "UTF-16": (NDJSON.decode().encode("utf-16"), [1, 2, 3]),
    "UTF-16, big-endian": (b"\xfe\xff" + NDJSON.decode().encode("utf-16-be"), [1, 2, 3]),
    "UTF-16, no mark": (NDJSON.decode().encode("utf-16-le"), [1, 2, 3]),
    "UTF-16 list": (json.dumps(EVENTS, indent=4).encode("utf-16"), [2, 14, 26]),
    "UTF-32": (NDJSON.decode().encode("utf-32"), [1, 2, 3]),
    "Windows-1252": (NDJSON.decode().encode("cp1252"), [1, 2, 3]),
    "NUL bytes at the end": (NDJSON + bytes(4096), [1, 2, 3]),
    "NUL bytes at the beginning": (bytes(4096) + NDJSON, [1, 2, 3]),
    "NUL bytes between lines": (NDJSON.replace(b"\n", b"\n" + bytes(600)), [1, 2, 3]),
    "NUL bytes at the ends of texts": (NDJSON.replace(b"ller", b"ller" + bytes(9)), [1, 2, 3]),
}


COMPRESSED = [(name, suffix) for name in ("indented body", "UTF-16 list", "Windows-1252") for suffix in (".gz", ".zst")]
"""Layouts in compressed files: what is read from one is the same for all layouts."""


@pytest.mark.parametrize(("name", "suffix"), [*((name, "") for name in LAYOUTS), *COMPRESSED])
def test_any_layout_and_encoding_gives_the_events_of_ndjson(project: Project, name: str, suffix: str) -> None:
    content, numbers = LAYOUTS[name]
    plain = project.land_bytes(NDJSON, "events.ndjson")
    make(project)
    expected = events(project)
    plain.unlink()
    project.pipeline.lake.storage.delete(["raw_events/hour=2026-11-20T12/data.parquet"])
    pack: Callable[[bytes], bytes] = {".gz": gzip.compress, ".zst": zstandard.compress, "": bytes}[suffix]
    project.land_bytes(pack(content), f"events.ndjson{suffix}")
    make(project)
    assert events(project) == expected
    assert quarantined(project) == []
    assert lines(project, f"events.ndjson{suffix}") == numbers


@pytest.mark.parametrize(
    ("content", "ids", "bad"),
    [
        (f"{TEXTS[0]}{TEXTS[1][:-5]}{TEXTS[2]}", "ac", [(1, "malformed_json")]),
        (f"{TEXTS[0]}{TEXTS[1]}{TEXTS[2][:-9]}", "ab", [(1, "malformed_json")]),
        (f"{TEXTS[0]}\n{TEXTS[1][:-5]}{TEXTS[2]}", "ac", [(2, "malformed_json")]),
        (f"[{TEXTS[0]},{TEXTS[1]},{TEXTS[2][:-9]}", "ab", [(1, "malformed_json")]),
        (f"[{TEXTS[0]},{TEXTS[1]}", "ab", [(1, "malformed_json")]),
        (f"[\n{TEXTS[0]},\n{TEXTS[1]}", "ab", [(3, "malformed_json")]),
        (f"[\n{TEXTS[0]},\n{TEXTS[1][:-9]},\n{TEXTS[2]}\n]", "ac", [(3, "malformed_json")]),
        (f"{PRETTY[0]}\n{PRETTY[1][:-9]}\n{PRETTY[2]}", "ac", [(13, "malformed_json")]),
        (f"{PRETTY[0][:-9]}\n{PRETTY[1]}\n{PRETTY[2]}", "bc", [(1, "malformed_json")]),
        (json.dumps(EVENTS, indent=2).replace('"b@', "b@"), "ac", [(14, "malformed_json")]),
        (f"[1,{TEXTS[0]},null]", "a", [(1, "not_an_object"), (1, "not_an_object")]),
        (f'{{"batch":[{TEXTS[0]},7]}}', "a", [(1, "not_an_object")]),
        (f"{TEXTS[0]}\n{TEXTS[1]},\"consent\":false}}\n{TEXTS[2]}", "ac", [(2, "malformed_json")]),
        (f"{TEXTS[0]}}}\n{TEXTS[1]}\n{TEXTS[2]}", "bc", [(1, "malformed_json")]),
        (f"{TEXTS[0]}\n[]\n[{{}}, x]\n]", "a", [(2, "not_an_object"), (3, "malformed_json"), (4, "malformed_json")]),
    ],
)  # fmt: skip
def test_damage_costs_the_document_that_it_is_in(
    project: Project, content: str, ids: str, bad: list[tuple[int, str]]
) -> None:
    project.land_bytes(content.encode(), "events.ndjson")
    make(project)
    assert [row["event_id"] for row in events(project)] == list(ids)
    assert quarantined(project) == [("events.ndjson", *each) for each in bad]


def test_many_lines_of_several_objects_are_split_in_order(project: Project) -> None:
    content = "\n".join(["{}"] + [f'{{"event_id":"{n}"}}{{"event_id":"{n}b"}}' for n in range(2 * LINES_AT_ONCE + 5)])
    project.land_bytes(content.encode(), "events.ndjson")
    assert make(project).rows == 4 * LINES_AT_ONCE + 11
    ids = [row["event_id"] for row in events(project)][1:]
    assert ids == [f"{n}{end}" for n in range(2 * LINES_AT_ONCE + 5) for end in ("", "b")]


def test_what_a_body_says_holds_for_its_events_unless_they_say_it_themselves(project: Project) -> None:
    body = {
        "messageId": "of the body",
        "timestamp": "2026-11-20T12:59:00Z",
        "user_id": "of the body",
        "context": {"ip": "198.51.100.7", "userAgent": "of the body"},
        "batch": [
            {"event": "first", "messageId": "1", "originalTimestamp": "2026-11-20T12:01:00Z", "userId": "own"},
            {"event": "second", "context": {"userAgent": "own"}},
        ],
    }
    project.land(body)
    make(project)
    columns = "select event_id, event_time::varchar as at, user_id, ip_address, user_agent from {table}"
    first, second = project.rows("raw_events", columns)
    assert [*first.values()] == ["1", "2026-11-20 12:01:00", "own", "198.51.100.7", "of the body"]
    assert [*second.values()][1:] == ["2026-11-20 12:59:00", "of the body", "198.51.100.7", "own"]
    assert second["event_id"] not in ("of the body", None)


@pytest.mark.parametrize(
    "event",
    [
        {"event_name": "purchase", "events": [{"event_name": "x"}]},
        {"type": "track", "event": "x", "batch": [1]},
        {"event_id": "e", "batch": "charge 7"},
        {"event_id": "e", "batch": []},
        {"event_name": "x", "properties": {"batch": [{}], "events": [{}]}},
    ],
)
def test_an_event_with_such_keys_is_one_event(project: Project, event: dict[str, Any]) -> None:
    project.land(event)
    assert (make(project).rows, quarantined(project)) == (1, [])


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("text", lambda pack: b"more"),
        ("padding and text", lambda pack: bytes(700) + b"more"),
        ("the first byte of a member", lambda pack: pack(b"x")[:1]),
        ("a header", lambda pack: pack(b"x" * 99)[:9]),
        ("a cut off member", lambda pack: pack(NDJSON * 9)[:-7]),
        ("a member with a flipped bit", lambda pack: pack(NDJSON)[:30] + b"\0\0\0" + pack(NDJSON)[33:]),
    ],
)
def test_lines_before_the_damage_of_a_compressed_file_are_read(
    project: Project, suffix: str, name: str, tail: Callable[[Callable[[bytes], bytes]], bytes]
) -> None:
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}[suffix]
    half = len(NDJSON) // 2
    project.land_bytes(pack(NDJSON[:half]) + pack(NDJSON[half:]) + tail(pack), f"events.ndjson{suffix}")
    project.land(purchase("clean"), name="clean")
    make(project)
    assert sorted(row["event_id"] for row in events(project)) == ["a", "b", "c", "clean"]
    assert quarantined(project) == [
        (f"events.ndjson{suffix}", None, f"damaged_{ {'.gz': 'gzip'}.get(suffix, 'zstd') }")
    ]


def test_a_hole_in_a_file_joins_no_two_events(project: Project) -> None:
    """Blocks of zeros take the place of what was lost in a crash."""
    before, after = '{"event_id":"a","email":"a@example.com"', ',"phone":"+4915112345678"}'
    project.land_bytes(f"{TEXTS[0]}\n{before}".encode() + bytes(4096) + f"{after}\n{TEXTS[2]}\n".encode(), "e.ndjson")
    made = make(project)
    assert [row["event_id"] for row in events(project)] == ["a", "c"]
    assert quarantined(project) == [("e.ndjson", 2, "malformed_json")]
    assert made.nul_bytes == 4096


@pytest.mark.parametrize(
    "text",
    [
        "Мария Иванова".encode("cp1251"),
        "Μαρία".encode("cp1253"),
        "山田".encode("shift_jis"),
        "Łukasz Wójcik".encode("cp1250"),
        "Zoë".encode("cp1252") + "Zoë".encode(),
        b"M\x8dller",
        b"\xff\xfe",
    ],
)
def test_a_line_in_another_encoding_is_named_and_not_guessed(project: Project, text: bytes) -> None:
    project.land_bytes(NDJSON.replace("Müller".encode(), text), "events.ndjson")
    make(project)
    assert [row["event_id"] for row in events(project)] == ["a", "c"]
    assert quarantined(project) == [("events.ndjson", 2, "not_utf8")]
