"""Landed events: odd values, ids, times, nested bodies, and the keys that a body shares with its events."""

import json
from typing import Any

import pytest

from snap_pipeline_tests.collector.conftest import RunningCollector
from snap_pipeline_tests.project import Project

GOOD = {"type": "track", "event": "Good", "messageId": "good", "timestamp": "2026-11-20T12:00:00Z"}
DAYS_LATE = "2020-01-01T00:00:00Z"
"""A `sentAt` that tells of a clock which is years behind."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = RunningCollector(Project(tmp_path_factory.mktemp("home"), "http://127.0.0.1:9"))
    yield running
    running.kill()


@pytest.fixture(scope="module")
def keys(shared: RunningCollector) -> dict[str, str]:
    return {"server": shared.add_source("server"), "web": shared.add_source("web")}


def landed(shared: RunningCollector, key: str, body: Any, path: str = "/v1/batch") -> list[Any]:
    """Post a body, and return what lands of it, as Python reads it."""
    before = len(lines(shared))
    answer = shared.post(key, body, path)
    assert answer.status_code == 200, answer.text
    return [json.loads(line, parse_constant=pytest.fail) for line in lines(shared)[before:]]


def lines(shared: RunningCollector) -> list[bytes]:
    drafts = shared.project.settings.landing.rglob(".collected-*")
    return [line for draft in drafts for line in draft.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("9" * 5_000, "9" * 5_000),
        ("1e400", "1e400"),
        ("NaN", None),
        ('"a\x01b"', "a\x01b"),
        ('"\\ud800"', "?"),
        ('["é", 18446744073709551616]', ["é", 18446744073709551616]),
    ],
    ids=["long", "very_long", "infinite", "nan", "control", "surrogate", "several"],
)
def test_an_odd_value_lands_beside_good_events(
    shared: RunningCollector, keys: dict[str, str], written: str, value: object
) -> None:
    body = json.dumps({"batch": [GOOD, GOOD | {"odd": "here"}]}).replace('"here"', written).encode()
    good, odd = landed(shared, keys["server"], body)
    assert good["event"] == "Good"
    assert odd["odd"] == value


@pytest.mark.parametrize("depth", [300, 900, 1_000])
def test_a_deep_event_costs_no_other(shared: RunningCollector, keys: dict[str, str], depth: int) -> None:
    body = json.dumps({"batch": [GOOD, {"odd": "here"}]}).replace('"here"', "[" * depth + "]" * depth).encode()
    good, deep = landed(shared, keys["server"], body)
    assert good["event"] == "Good"
    assert isinstance(deep, dict) or "too deeply" in deep


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-11-20"])
def test_a_time_that_cannot_be_corrected_stays(shared: RunningCollector, keys: dict[str, str], time: str) -> None:
    (event,) = landed(shared, keys["server"], {"batch": [GOOD | {"timestamp": time, "sentAt": DAYS_LATE}]})
    assert event["timestamp"] == time


def test_a_date_tells_nothing_of_a_clock(shared: RunningCollector, keys: dict[str, str]) -> None:
    (event,) = landed(shared, keys["server"], {"batch": [GOOD], "sentAt": "2026-11-20"})
    assert event["timestamp"] == GOOD["timestamp"]


def test_each_spelling_of_the_time_is_corrected(shared: RunningCollector, keys: dict[str, str]) -> None:
    event = {"event": "Good", "event_timestamp": "2019-12-31T23:59:00Z", "sentAt": DAYS_LATE}
    (found,) = landed(shared, keys["web"], event, "/v1/track")
    assert found["originalTimestamp"] == "2019-12-31T23:59:00Z"
    assert found["timestamp"] > "2026"


def test_null_is_as_good_as_nothing(shared: RunningCollector, keys: dict[str, str]) -> None:
    context = {"ip": "192.0.2.9", "locale": "de"}
    batch = [GOOD | {"context": None}, GOOD | {"context": {"ip": None, "locale": "fr"}}]
    first, second = landed(shared, keys["server"], {"batch": batch, "context": context, "integrations": {"All": True}})
    assert first["context"] == context
    assert second["context"] == {"ip": "192.0.2.9", "locale": "fr"}
    assert first["integrations"] == {"All": True}
    (typed,) = landed(shared, keys["server"], {"event": "Good", "type": None}, "/v1/track")
    assert typed["type"] == "track"


def test_lists_and_bodies_in_a_body_are_taken_apart(shared: RunningCollector, keys: dict[str, str]) -> None:
    body = {"context": {"locale": "de"}, "batch": [[GOOD], {"batch": [GOOD, {"events": [GOOD]}]}, "odd", GOOD]}
    found = landed(shared, keys["server"], body)
    assert found[3] == "odd"
    assert [event["context"]["locale"] for event in found if event != "odd"] == ["de"] * 4


def test_an_event_without_an_id_gets_the_same_one_again(shared: RunningCollector, keys: dict[str, str]) -> None:
    bare = {"event": "Good", "properties": {"value": 1}, "id": "product-7", "messageId": " "}
    first = landed(shared, keys["server"], {"batch": [bare, bare], "sentAt": "2026-11-20T12:00:00Z"})
    again = landed(shared, keys["server"], {"batch": [bare, bare], "sentAt": "2026-11-20T12:00:05Z"})
    ids = [event["messageId"] for event in first]
    assert [event["messageId"] for event in again] == ids
    assert len(set(ids)) == 2
    (other,) = landed(shared, keys["web"], {"batch": [bare]})
    assert other["messageId"] not in ids
    (given,) = landed(shared, keys["server"], {"batch": [{"event": "Good", "event_id": "own"}]})
    assert "messageId" not in given
