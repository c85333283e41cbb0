"""The command line as a user meets it: what it prints, and the status it ends with."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from snap_pipeline.cli import COMMANDS
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import MAXIMUM_LINE_BYTES
from snap_pipeline_tests.project import HOUR, NOW, PIXEL_ID, START, TOKEN, Project, ids, key, purchase


def add(run: Callable[..., Result], project: Project, *options: str, **kwargs: object) -> Result:
    arguments = (
        "--name",
        "shop",
        "--pixel-id",
        PIXEL_ID,
        "--base-url",
        project.sandbox_url,
        "--since",
        START,
    )
    return run("destination", "add", *arguments, *options, **kwargs)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


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


def test_materialize_delivers_and_ends_with_0(run, project: Project) -> None:
    assert add(run, project, "--live").exit_code == 0
    project.land(purchase("a"))
    result = run("materialize", "--from", key(HOUR), "--to", key(HOUR))
    assert result.exit_code == 0, result.output
    assert "Nothing is unaccounted for." in result.stdout
    assert ids(project.received()) == ["a"]


def test_materialize_with_a_refused_token_ends_with_1_and_the_remedy(run, project: Project) -> None:
    refused = add(run, project, "--live", token="someone-elses-token")
    assert refused.exit_code == 1
    assert "regenerate the Conversions API token" in refused.stderr
    assert [each.name for each in project.pipeline.destinations.list()] == ["shop"]
    project.land(purchase("a"))
    result = run("materialize", "--from", key(HOUR), "--to", key(HOUR))
    assert result.exit_code == 1
    assert "regenerate the Conversions API token" in result.stderr
    assert "someone-elses-token" not in refused.output + result.output


def test_materialize_without_a_live_destination_ends_with_0_and_a_warning(run, project: Project) -> None:
    project.land(purchase("a"))
    result = run("materialize", "--from", key(HOUR), "--to", key(HOUR))
    assert result.exit_code == 0
    assert "no destination is live" in result.stderr


def test_status_as_json_accounts_for_every_event(run, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), purchase("b", email=None), "broken", {"type": "identify", "messageId": "i"})
    project.materialize()
    result = run("status", "--from", key(HOUR), "--to", key(HOUR), "--json")
    assert json.loads(result.stdout) == [
        {
            "hour": key(HOUR),
            "workspace": "default",
            "raw": 3,
            "quarantined": 1,
            "excluded": {"internal": 1},
            "payloads": 2,
            "destinations": {
                "shop": {
                    "delivered": 1,
                    "rejected": {},
                    "undeliverable": {"insufficient_identifiers": 1},
                    "duplicate": 0,
                    "in_doubt": 0,
                    "pending": 0,
                    "withdrawn": 0,
                    "expiring": 0,
                }
            },
        }
    ]


def test_preview_shows_what_is_sent(run, project: Project) -> None:
    project.add_destination(live=False)
    project.land(purchase("a"))
    project.materialize()
    previewed = json.loads(run("preview", "--hour", key(HOUR)).stdout)
    project.pipeline.destinations.resume("shop")
    project.materialize()
    assert project.received()[0]["event"] == previewed


def test_preview_shows_the_earliest_events(run, project: Project) -> None:
    project.add_destination(live=False)
    project.land(*(purchase(f"e{n}", at=HOUR + timedelta(minutes=9 - n)) for n in range(10)))
    project.materialize()
    lines = run("preview", "--hour", key(HOUR), "--limit", "3").stdout.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == ["e9", "e8", "e7"]


def test_trace_follows_an_event_by_its_id_or_order_id(run, project: Project) -> None:
    project.add_destination()
    project.land(
        purchase("other"), purchase("a"), purchase("nobody", email=None), {"type": "identify", "messageId": "i"}
    )
    project.materialize()
    by_id, by_order = run("trace", "a").stdout, run("trace", "o-a").stdout
    assert by_id == by_order
    assert "events.ndjson, line 2" in by_id
    assert "shop: delivered, batch" in by_id
    assert "undeliverable insufficient_identifiers" in run("trace", "nobody").stdout
    assert "excluded: internal" in run("trace", "i").stdout
    assert run("trace", "unknown").exit_code == 1


def test_a_destination_is_added_listed_shown_tested_and_removed_without_its_token(run, project: Project) -> None:
    added = add(run, project)
    assert added.exit_code == 0
    assert "Connection test successful" in added.stdout
    outputs = [added.output]
    for command in (
        ["list"],
        ["show", "shop"],
        ["test", "shop"],
        ["resume", "shop"],
        ["pause", "shop"],
        ["remove", "shop"],
    ):
        result = run("destination", *command)
        assert result.exit_code == 0, result.output
        outputs.append(result.output)
    assert TOKEN not in "".join(outputs)
    assert project.pipeline.destinations.list() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["land"],
        ["land", "no-such-file"],
        ["materialize", "--from", "2026-11-20", "--to", "2026-11-20T12"],
        ["materialize", "--from", "2026-11-20T13", "--to", "2026-11-20T12"],
        ["materialize", "--from", "2026-01-01T00", "--to", "2026-01-01T01"],
        ["preview"],
        ["destination", "add"],
        ["no-such-command"],
    ],
)
def test_bad_usage_ends_with_2(run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["destination", "show", "nobody"],
        ["destination", "test", "nobody"],
        ["preview", "--hour", "2026-11-20T12", "--destination", "x"],
    ],
)
def test_a_failure_ends_with_1_and_no_traceback(run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_a_setting_that_cannot_be_used_is_named(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_THREADS", "none")
    result = run("status")
    assert result.exit_code == 1
    assert "SNAP_PIPELINE_THREADS" in result.stderr
