"""The command line: output and exit status of the commands."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result

from snap_pipeline.cli import COMMANDS
from snap_pipeline.reasons import WORDS, DeliveryState, with_words
from snap_pipeline_tests.project import HOUR, PIXEL_ID, START, TOKEN, Project, ids, key, purchase


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


def test_materialize_delivers_and_ends_with_0(run, project: Project) -> None:
    assert add(run, project, "--live").exit_code == 0
    project.land(purchase("a"))
    result = run("materialize", "--from", key(HOUR), "--to", key(HOUR))
    assert result.exit_code == 0, result.output
    assert "Every landed line is accounted for." in result.stdout
    assert ids(project.received()) == ["a"]


def test_the_age_limits_of_a_destination_are_set_and_shown(run, project: Project) -> None:
    add(run, project, "--web-age-days", "5")
    assert "web age limit:      5 days" in run("destination", "show", "shop").stdout
    assert run("destination", "set", "shop", "--web-age-days", "3", "--offline-age-days", "30").exit_code == 0
    shown = run("destination", "show", "shop").stdout
    assert "web age limit:      3 days" in shown
    assert "offline age limit:  30 days" in shown


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


def test_status_shows_the_words_of_reasons_and_states(run, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), purchase("b", email=None), {"type": "identify", "messageId": "i"}, "{ no JSON")
    project.materialize()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in run("status").stdout.splitlines()]
    shown = {(name, label): words for name, label, _, words in filter(None, rows)}
    reasons = {"quarantined": "malformed_json", "excluded": "internal"}
    for entry, reason in reasons.items():
        assert WORDS[reason].startswith(shown["", f"{entry}: {reason}"] or "-")  # the rest is on the next line
    assert shown["shop", "undeliverable: insufficient_identifiers"].startswith("Carries no identifier")
    assert shown["shop", "delivered"] == DeliveryState.DELIVERED.words


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
    assert f"undeliverable {with_words('insufficient_identifiers')}" in run("trace", "nobody").stdout
    assert f"excluded: {with_words('internal')}" in run("trace", "i").stdout
    assert run("trace", "unknown").exit_code == 1


def test_trace_follows_orders_whose_ids_differ_in_an_address_and_both_are_counted(run, project: Project) -> None:
    project.add_destination()
    order_ids = {"bob": "bob@example.de-1", "ann": "ann@example.de-1"}
    project.land(
        *(
            purchase(name, properties={"value": 10, "currency": "EUR", "order_id": order_id})
            for name, order_id in order_ids.items()
        )
    )
    project.materialize()
    assert ids(project.received()) == ["ann", "bob"]
    for name, order_id in order_ids.items():
        followed = run("trace", order_id).stdout
        assert followed.startswith(f"{name} (")
        assert "shop: delivered, batch" in followed


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
        ["remove", "shop", "--yes"],
    ):
        result = run("destination", *command)
        assert result.exit_code == 0, result.output
        outputs.append(result.output)
    assert TOKEN not in "".join(outputs)
    assert project.pipeline.destinations.list() == []


@pytest.mark.parametrize(
    ("since", "first_hour", "words"),
    [
        ("2026-11-20T12", "2026-11-20T12", ""),
        ("2027-11-20T12", "2027-11-20T12", "That hour is still to come: nothing is sent until then."),
        ("2020-01-01T00", START, f"2020-01-01T00 lies before the first hour, {START} (SNAP_PIPELINE_START)"),
    ],
)
def test_set_since_says_from_when_on_a_destination_is_owed_something(
    run, project: Project, since: str, first_hour: str, words: str
) -> None:
    project.add_destination(since="2026-11-20T00")
    result = run("destination", "set", "shop", "--since", since)
    assert result.exit_code == 0
    assert f"It receives the hours from {first_hour} on" in result.stdout
    assert words in result.stdout
    assert ("still to come" in result.stdout, "lies before" in result.stdout) == (
        "still to come" in words,
        "lies before" in words,
    )
    assert project.pipeline.destinations.get("shop").since == first_hour


def test_add_says_so_where_it_is_asked_for_hours_before_the_first_one(run, project: Project) -> None:
    assert "lies before" not in add(run, project, "--no-test").stdout
    run("destination", "remove", "shop", "--yes")
    result = add(run, project, "--no-test", "--since", "2020-01-01T00")
    assert f"2020-01-01T00 lies before the first hour, {START}" in result.stdout
    assert f"It receives the hours from {START} on" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["land"],
        ["land", "no-such-file"],
        ["materialize", "--from", "2026-11-20", "--to", "2026-11-20T12"],
        ["materialize", "--from", "2026-11-20T13", "--to", "2026-11-20T12"],
        ["materialize", "--from", "2026-01-01T00", "--to", "2026-01-01T01"],
        ["preview"],
        ["preview", "--hour", "2026-11-20T12", "--event", "a"],
        ["materialize"],
        ["materialize", "--from", "2026-11-20T12"],
        ["materialize", "--last", "24h", "--to", "2026-11-20T12"],
        ["materialize", "--last", "a day"],
        ["status", "--last", "24h", "--from", "2026-11-20T12"],
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
        ["preview", "--event", "a", "--destination", "x"],
        ["destination", "remove", "nobody"],
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
