"""`snap-pipeline land`: the hours that events land in, and messages about unreadable lines."""

import gzip
import json
from pathlib import Path

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.text_files import MAXIMUM_LINE_BYTES
from snap_pipeline_tests.project import HOUR, NOW, Project, ids, key, purchase


def test_land_puts_events_into_their_own_hours_and_says_what_it_cannot_read(
    run, project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    lines = [
        purchase("a"),
        purchase("b", at=HOUR + ONE_HOUR),
        purchase("ahead", at=NOW + 2 * ONE_HOUR),
        {"event_name": "x"},
    ]
    file.write_bytes("\n".join(map(json.dumps, lines)).encode() + b"\nno json\n\xff\xfe\n")
    result = run("land", str(file))
    assert result.exit_code == 0
    assert "6 lines landed in 3 hours" in result.stdout
    assert "2 cannot be read" in result.stdout
    landing = project.pipeline.landing
    running = b"".join(
        (landing._root / f.source_file).read_bytes() for f in landing.listing(project.settings.running_hour)
    )
    assert running.count(b"\n") == 4
    assert b"\xff\xfe" in running


def test_lines_that_cannot_be_read_land_with_an_origin_too(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([json.dumps(purchase("a")), *["no json"] * 3, json.dumps(purchase("b")), "{}"]))
    result = run("land", str(file), "--origin", "csv")
    assert result.exit_code == 0, result.output
    assert "6 lines landed" in result.stdout
    assert "3 cannot be read" in result.stdout


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_land_says_of_a_line_that_is_too_long_what_becomes_of_it(
    run, project: Project, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"events.{suffix}"
    lines = [json.dumps(purchase("a")), json.dumps(purchase("long", note="x" * MAXIMUM_LINE_BYTES))]
    file.write_text(f"[{','.join(lines)}]" if suffix == "json" else "\n".join(lines))
    result = run("land", str(file), "--hour", key(HOUR))
    assert "2 lines landed" in result.stdout
    assert "1 cannot be read" in result.stdout
    project.materialize()
    assert [row["event_id"] for row in project.rows("raw_events")] == ["a"]
    assert [row["reason"] for row in project.rows("quarantined_lines")] == ["line_too_long"]


@pytest.mark.parametrize("suffix", ["json", "ndjson.gz", "csv"])
def test_land_takes_arrays_gzip_and_csv(run, project: Project, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"orders.{suffix}"
    events = [purchase("a"), purchase("b")]
    if suffix == "json":
        file.write_text(json.dumps(events, indent=2))
    elif suffix == "csv":
        file.write_text(
            "event_id,event_name,event_timestamp,email,value,currency,item_ids\n"
            + "".join(f"{e['event_id']},purchase,{e['event_timestamp']},x@example.com,10,EUR,1;2\n" for e in events)
        )
    else:
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    assert run("land", str(file), "--origin", "csv").exit_code == 0
    project.add_destination()
    assert project.materialize().success
    received = project.received()
    assert ids(received) == ["a", "b"]
    assert {event["action_source"] for event in received} == {"OFFLINE"}


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("refused", "landed"),
    [
        (b"r2,purchase,c@d.de,5,EUR,EXTRA", b"r2,purchase,c@d.de,5,EUR,EXTRA"),
        (b"r2,purchase", b"r2,purchase"),
        (b'r2,purchase,"c@d.de\n",5,EUR,EXTRA', b'r2,purchase,"c@d.de\\n",5,EUR,EXTRA'),
        (b'r2,purchase,"c@d.de\n\xff",5,EUR', b'r2,purchase,"c@d.de\\n\xff",5,EUR'),
        (b"r2,purchase,c@d.de,5,EUR," + "ä".encode() * 9_000, b"r2,purchase,c@d.de,5,EUR," + "ä".encode() * 9_000),
    ],
    ids=["too many columns", "too few columns", "line break in quotes", "no UTF-8", "longer than DuckDB reports"],
)
def test_a_csv_row_that_cannot_be_read_lands_as_it_is_behind_a_line_break_in_quotes(
    run, project: Project, tmp_path: Path, refused: bytes, landed: bytes, line_break: bytes, suffix: str
) -> None:
    file = tmp_path / f"orders.{suffix}"
    rows = [b"event_id,event_name,email,value,currency", b'r1,purchase,"a@b.de\n",5,EUR', refused]
    rows += [b"r3,purchase,c@d.de,5,EUR", refused]
    content = b"\n".join([*rows, b""]).replace(b"\n", line_break)
    file.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    result = run("land", str(file), "--hour", key(HOUR))
    assert "4 lines landed in 1 hours" in result.stdout
    assert "2 cannot be read" in result.stdout
    unreadable = [each for each in project.pipeline.landing.listing(HOUR) if "unreadable" in each.source_file]
    assert [(project.settings.landing / each.source_file).read_bytes() for each in unreadable] == [(landed + b"\n") * 2]


HEADER = b"event_id,event_name,email,value,currency\n"
ROWS = [f"r{number},purchase,r{number}@example.com,5,EUR\n".encode() for number in range(5)]


@pytest.mark.parametrize(
    ("content", "rows", "unreadable"),
    [
        (HEADER + b"".join(ROWS).replace(b"\n", b"\r\n", 1).replace(b"EUR\n", b"EUR\r", 1), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b"\n", b"\r"), 5, 0),
        (b"\xef\xbb\xbf\n\n" + HEADER + b"\n" + b"\n".join(ROWS), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b",", b";"), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b",", b"\t"), 5, 0),
        (HEADER.replace(b"email", b" Email ,,note,note") + b"".join(ROWS).replace(b",5", b",,a,b,5"), 5, 0),
        (HEADER + ROWS[0] + b"r9,purchase,a,5,EUR,x,y,z\n" + b"".join(ROWS[1:]), 6, 1),
        (HEADER + b"".join(ROWS).replace(b"EUR", b"EUR,x"), 5, 5),
        (HEADER + b"".join(ROWS) + b'"r9","pur"chase",,5,EUR\n', 6, 1),
        (HEADER + b"".join(ROWS).replace(b"r1@", b"\0r1\x01@"), 5, 0),
        (HEADER, 0, 0),
    ],
    ids=[
        *("mixed line breaks", "bare carriage returns", "blank lines and a byte order mark", "semicolons", "tabs"),
        *("odd names", "a long row", "long rows alone", "a stray quote", "control bytes", "no rows"),
    ],
)
def test_each_row_of_a_csv_lands_or_is_counted(
    run, project: Project, tmp_path: Path, content: bytes, rows: int, unreadable: int
) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    result = run("land", str(file), "--hour", key(HOUR))
    assert result.exit_code == 0, result.output
    assert f"{rows} lines landed" in result.stdout
    assert (f"{unreadable} cannot be read" in result.stdout) == bool(unreadable)
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    read = project.rows("raw_events")
    assert {row["event_id"] for row in read} == {f"r{n}" for n in range(rows - unreadable)}
    assert all(row["emails"] for row in read)
    assert len(project.rows("quarantined_lines")) == unreadable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"".join(ROWS), "its first line must hold the names of its columns"),
        (b"", "its first line must hold the names of its columns"),
        ((HEADER + b"".join(ROWS)).decode().encode("utf-16"), "its first line must hold the names of its columns"),
        (HEADER + ROWS[0] + b'r9,"purchase,a,5,EUR\n' + b"".join(ROWS), "a quote is opened in line 3"),
        (HEADER + ROWS[0] + b'r9,"purchase,a,5,EUR\n' + ROWS[1] * 9_000, "a quote is opened in line 3"),
    ],
    ids=["no header", "empty", "UTF-16", "an open quote", "an open quote far from the end"],
)
def test_land_says_what_to_mend_in_a_csv_and_lands_the_other_files(
    run, project: Project, tmp_path: Path, content: bytes, message: str
) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_bytes(content)
    right.write_bytes(HEADER + b"".join(ROWS))
    result = run("land", str(wrong), str(right), "--hour", key(HOUR))
    assert result.exit_code == 1
    assert f"{wrong} was not landed" in result.stderr
    assert message in result.stderr
    assert "5 lines landed" in result.stdout
    assert [Path(file.source_file).name[:6] for file in project.pipeline.landing.listing(HOUR)] == ["right-"]


def test_a_line_break_or_a_control_byte_of_its_own_kind_costs_no_other_line(
    run, project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    good = [json.dumps(purchase(name)).encode() for name in "abcdef"]
    file.write_bytes(good[0] + b"\r" + good[1] + b"\r\n{\0}\n" + good[2] + b'\n{"a":"\x01"}\r' + b"\n".join(good[3:]))
    result = run("land", str(file))
    assert "8 lines landed" in result.stdout
    assert "2 cannot be read" in result.stdout
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    assert ids(project.rows("raw_events")) == list("abcdef")


def test_land_in_a_given_hour_and_twice_is_the_same_as_once(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(purchase("a", at=HOUR - ONE_HOUR)))
    for _ in range(2):
        assert run("land", str(file), "--hour", key(HOUR)).exit_code == 0
    assert len(project.pipeline.landing.listing(HOUR)) == 1
    assert project.pipeline.landing.listing(HOUR - ONE_HOUR) == []


def test_land_refuses_an_hour_before_the_first(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(purchase("a")))
    first = project.settings.first_hour
    refused = run("land", str(file), "--hour", key(first - ONE_HOUR))
    assert refused.exit_code == 2
    assert f"the first hour, {key(first)} (SNAP_PIPELINE_START)" in refused.stderr
    assert not project.pipeline.landing.hours()
    for hour in (first, NOW + 5 * ONE_HOUR):
        assert run("land", str(file), "--hour", key(hour)).exit_code == 0
