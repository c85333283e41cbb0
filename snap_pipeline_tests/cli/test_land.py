"""`snap-pipeline land`: which hours events land in, and what is said of what cannot be read."""

import gzip
import json
from pathlib import Path

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import MAXIMUM_LINE_BYTES
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
        (landing.root / f.source_file).read_bytes() for f in landing.listing(project.settings.running_hour)
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
