"""`snap-pipeline trace`: the line that an event landed in, and the event's outcome, apart from that of its copies."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import Result

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.project import HOUR, Project, key, purchase

NEIGHBOUR = purchase("neighbour", properties={"value": 1, "currency": "EUR", "coupon": "a"})
"""An event with the id of another event among its properties."""


def story(run: Callable[..., Result], event_or_order_id: str) -> list[tuple[str, str]]:
    """Return each event's place and its outcomes, in the order of the output."""
    result = run("trace", event_or_order_id)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    landed = [place for place, line in enumerate(lines) if line.startswith("  landed in ")]
    return [(Path(lines[n].split(", hour")[0]).name, lines[n + 1].split(",")[0].split(" (")[0].strip()) for n in landed]


def test_of_events_with_one_id_the_first_is_delivered_and_the_others_are_duplicates(
    run: Callable[..., Result], project: Project
) -> None:
    project.add_destination()
    # A file with a bad line is read after the others, so that its rows come last in the hour.
    project.land(purchase("a"), purchase("b"), purchase("a"), "broken", name="1-first")
    project.land(purchase("b"), purchase("a", properties={"order_id": "o-2"}), name="2-second")
    project.materialize()
    assert story(run, "a") == [
        ("1-first.ndjson, line 1", "shop: delivered"),
        ("1-first.ndjson, line 3", "excluded: duplicate_id"),
        ("2-second.ndjson, line 2", "excluded: duplicate_id"),
    ]
    assert story(run, "o-2") == [("2-second.ndjson, line 2", "excluded: duplicate_id")]


def test_events_of_other_names_under_one_id_have_outcomes_of_their_own(
    run: Callable[..., Result], project: Project
) -> None:
    project.add_destination()
    project.land(
        purchase("a", event_name="page_view"),
        purchase("a", event_name="page_view"),
        purchase("a", properties={"order_id": "o-a"}),  # a purchase without a value
    )
    project.materialize()
    assert story(run, "a") == [
        ("events.ndjson, line 1", "shop: delivered"),
        ("events.ndjson, line 2", "excluded: duplicate_id"),
        ("events.ndjson, line 3", "shop: undeliverable purchase_without_value"),
    ]


def test_of_events_that_are_all_excluded_each_has_its_own_reason(run: Callable[..., Result], project: Project) -> None:
    project.land({"type": "identify", "messageId": "i"}, {"type": "identify", "messageId": "i"})
    project.materialize()
    assert story(run, "i") == [
        ("events.ndjson, line 1", "excluded: internal"),
        ("events.ndjson, line 2", "excluded: duplicate_id"),
    ]


def test_files_and_folders_whose_names_are_no_utf8_break_no_command(
    run: Callable[..., Result], project: Project
) -> None:
    project.add_destination()
    project.land_bytes(json.dumps(purchase("a")).encode() + b"\r\rbroken\r", os.fsdecode(b"caf\xe9.ndjson"))
    folder = project.settings.landing / os.fsdecode(b"caf\xe9") / "2026-11-20T12"
    folder.mkdir(parents=True)
    assert project.materialize().success
    assert [event["event_id"] for event in project.received()] == ["a"]
    assert story(run, "a") == [("caf\\xe9.ndjson, line 1", "shop: delivered")]
    status = run("status")
    assert status.exit_code == 0, status.output
    assert "caf\\xe9/2026-11-20T12" in status.stderr
    assert "Every landed line is accounted for" in status.stdout
    told = run("forget", "--email", "a@example.com", "--landing")
    assert told.exit_code == 0, told.output
    (file,) = project.pipeline.landing.listing(HOUR)
    content = (project.settings.landing / file.source_file).read_bytes()
    assert b"a@example.com" not in content
    assert content.endswith(b"\r\rbroken\r")


@pytest.mark.parametrize("suffix", ["ndjson", "x.gz", "x.zst"])
@pytest.mark.parametrize("bad_line", [b"broken", b"42", b'{"a":"\xff"}', b" "])
def test_the_line_is_the_one_that_the_event_stands_on(
    run: Callable[..., Result], project: Project, suffix: str, bad_line: bytes
) -> None:
    project.add_destination()
    neighbour = json.dumps(NEIGHBOUR).encode()
    lines = [b"", bad_line, neighbour, bad_line, json.dumps(purchase("a")).encode(), bad_line, neighbour]
    content = b"\n".join(lines)
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(Path(suffix).suffix, bytes)(content)
    project.land_bytes(packed, f"events.{suffix}")
    project.land(purchase("before"), name="another-before")
    project.land(purchase("after"), name="other-after")
    project.materialize()
    assert story(run, "a") == [(f"events.{suffix}, line 5", "shop: delivered")]


def test_an_event_that_shares_its_line_is_told_apart(run: Callable[..., Result], project: Project) -> None:
    project.add_destination()
    texts = [json.dumps(event) for event in (purchase("a"), purchase("b"), {"event_id": "c", "value": 1})]
    project.land_bytes(f"{texts[0]}{texts[1]}\n{{broken}}\n{texts[2]}".encode(), "events.ndjson")
    project.land_bytes(f'{{"batch": [{texts[2]}, 7, {texts[0].replace("a", "A")}]}}'.encode(), "late.ndjson")
    project.materialize()
    assert story(run, "b") == [("events.ndjson, line 1, event 2 of the file", "shop: delivered")]
    assert [place for place, _ in story(run, "c")] == [
        "events.ndjson, line 3",
        "late.ndjson, line 1, event 1 of the file",
    ]


def test_events_with_an_id_of_the_pipeline_s_own_have_a_line_too(run: Callable[..., Result], project: Project) -> None:
    project.add_destination()
    derived = purchase("x")
    del derived["event_id"]
    project.land(purchase("other"), derived, purchase("someone@example.com", email="someone@example.com"))
    project.materialize()
    (known,) = project.rows("raw_events", "select event_id from {table} where emails = ['x@example.com']")
    assert story(run, known["event_id"]) == [("events.ndjson, line 2", "shop: delivered")]
    assert story(run, "someone@example.com") == [("events.ndjson, line 3", "shop: delivered")]


@pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_text("{}\n" * 3)])
def test_a_file_that_is_not_as_it_was_read_has_no_lines(run: Callable[..., Result], project: Project, change) -> None:
    project.add_destination()
    file = project.land("broken", purchase("other"), purchase("a"))
    project.materialize()
    change(file)
    assert story(run, "a")[0][0].startswith("events.ndjson, event 2 of the file, which is gone or has changed")


def test_an_event_of_an_hour_that_was_read_again_and_not_filtered_says_so(
    run: Callable[..., Result], project: Project
) -> None:
    project.land(purchase("a"))
    project.materialize()
    project.land(purchase("a"), name="late")
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    assert story(run, "a")[1] == (
        "late.ndjson, line 1",
        "not filtered since the hour was read again: "
        f"run `snap-pipeline materialize --from {key(HOUR)} --to {key(HOUR)}`",
    )


def test_trace_shows_the_body_and_snaps_answer(run: Callable[..., Result], project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), purchase("b", event_timestamp=None))
    project.materialize()
    lines = run("trace", "a", "--request").stdout.splitlines()
    (body,) = [line for line in lines if line.startswith("    event: ")]
    assert json.loads(body.removeprefix("    event: ")) == project.received()[0]["event"]
    assert lines[-1].startswith("    Snap's answer to the batch: HTTP 200, accepted")

    (traced,) = json.loads(run("trace", "a", "--json").stdout)
    assert (traced["event_id"], traced["hour"], traced["verdict"]) == ("a", key(HOUR), None)
    (delivery,) = traced["deliveries"]
    assert (delivery["destination"], delivery["status"], delivery["http_status"]) == ("shop", "delivered", 200)
    (excluded,) = json.loads(run("trace", "b", "--json").stdout)
    assert (excluded["deliveries"], excluded["verdict"].split(" (")[0]) == ([], "excluded: no_timestamp")
