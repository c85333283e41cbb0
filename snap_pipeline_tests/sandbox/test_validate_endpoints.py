"""Test events: the same checks, never counted, kept in logs for 24 hours and in stats for one."""

from typing import Any

import pytest
import requests

from snap_pipeline_tests.sandbox.conftest import DAY_MS, NOW_MS, PIXEL, TOKEN, Client, record, web_event

BAD = web_event(event_id="bad", user_data={"em": "person@example.com"})


def read(sandbox: Client, version: str, what: str, token: str = TOKEN) -> requests.Response:
    if version == "v3":
        address = f"{sandbox.url}/v3/{PIXEL}/events/validate/{what}"
        return requests.get(address, params={"access_token": token}, timeout=20)
    address = f"{sandbox.url}/v2/conversion/validate/{what}"
    return requests.get(address, params={"asset_id": PIXEL}, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def post_tests(sandbox: Client, version: str) -> None:
    """Post a valid and an invalid test event."""
    if version == "v3":
        sandbox.v3(web_event(), BAD, path="/validate")
    else:
        sandbox.v2([record(), record(hashed_email="x")], path="/validate")


def test_v3_says_that_valid_events_are_valid_and_counts_none(sandbox: Client) -> None:
    response = sandbox.v3(web_event(), path="/validate")

    body = response.json()
    assert (response.status_code, body["status"], body["test_event"], body["event_logs"]) == (200, "VALID", True, [])
    assert sandbox.events() == []


def test_v3_names_every_bad_event_from_one(sandbox: Client) -> None:
    response = sandbox.v3(web_event(), BAD, web_event(), BAD, path="/validate")

    assert (response.status_code, response.json()["status"]) == (400, "INVALID")
    assert [log["event"] for log in response.json()["event_logs"]] == [2, 4]


def test_v3_shows_events_with_a_test_code_and_counts_the_others(sandbox: Client) -> None:
    response = sandbox.v3(web_event(event_id="test", test_event_code="TEST1"), web_event(event_id="live"))

    assert (response.status_code, response.json()["status"]) == (200, "VALID")
    assert [event["event_id"] for event in sandbox.events()] == ["live"]
    logs = read(sandbox, "v3", "logs").json()["logs"]
    assert [log["event_metadata"]["conversion_info"]["event_id"] for log in logs] == ["test"]


def test_v2_adds_warnings_and_validated_fields(sandbox: Client) -> None:
    response = sandbox.v2([record()], path="/validate")

    body = response.json()
    assert (response.status_code, body["status"], body["warning_records"]) == (200, "SUCCESS", [])
    assert body["validated_fields"][0]["record_index"] == 0
    assert body["validated_fields"][0]["validated_fields"]["pixel_id"] == PIXEL
    assert sandbox.events() == []


@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize(("later", "logged", "counted"), [(0, 2, 2), (DAY_MS // 2, 2, 0), (DAY_MS + 1, 0, 0)])
def test_logs_cover_a_day_and_stats_an_hour(
    sandbox: Client, version: str, later: int, logged: int, counted: int
) -> None:
    post_tests(sandbox, version)
    sandbox.clock(NOW_MS + later)

    assert len(read(sandbox, version, "logs").json()["logs"]) == logged
    stats: dict[str, Any] = read(sandbox, version, "stats").json()["stats"]
    assert stats["test"]["event_count_past_hour"] == counted


@pytest.mark.parametrize("version", ["v3", "v2"])
def test_logs_tell_bad_events_from_good_ones(sandbox: Client, version: str) -> None:
    post_tests(sandbox, version)

    logs = read(sandbox, version, "logs").json()["logs"]
    assert [(log["status"], len(log["error_records"])) for log in logs] == [("VALID", 0), ("INVALID", 1)]


def test_stats_count_live_events_apart(sandbox: Client) -> None:
    sandbox.v3(web_event())

    assert read(sandbox, "v3", "stats").json()["stats"] == {
        "test": {"latest_event_ts": 0, "event_count_past_hour": 0},
        "live": {"latest_event_ts": NOW_MS, "event_count_past_hour": 1},
    }


@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize("what", ["logs", "stats"])
def test_logs_and_stats_need_the_token(sandbox: Client, version: str, what: str) -> None:
    assert read(sandbox, version, what, token="wrong").status_code == 401
