"""Fault injection: every fault, the requests that it applies to, and its count."""

from typing import Any

import pytest
import requests

from snap_pipeline.sandbox.journal import RateLimit
from snap_pipeline_tests.sandbox.conftest import APP, PIXEL, Client, record, web_event


@pytest.mark.parametrize("status", [403, 404, 408, 413, 429, 500, 503])
def test_a_status_is_answered_without_storing(sandbox: Client, status: int) -> None:
    sandbox.fault(status=status, retry_after=7)

    response = sandbox.v3(web_event())

    assert (response.status_code, response.headers["Retry-After"]) == (status, "7")
    assert sandbox.events() == []


def test_a_revoked_token_is_answered_as_an_unknown_one(sandbox: Client) -> None:
    sandbox.fault(status=401)

    assert sandbox.v3(web_event()).json() == sandbox.v3(web_event(), token="wrong").json()


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body"),
    [
        ({"html": True}, 200, "text/html", "<html>"),
        ({"html": True, "status": 502}, 502, "text/html", "<html>"),
        ({"empty_body": True}, 200, None, ""),
        ({"invalid_200": True}, 200, "application/json", '"status":"INVALID"'),
        ({"status": 429}, 429, None, ""),
    ],
)
def test_answers_that_are_not_snaps(
    sandbox: Client, fault: dict[str, Any], status: int, content_type: str | None, body: str
) -> None:
    sandbox.fault(**fault)

    response = sandbox.v3(web_event())

    assert response.status_code == status
    assert (response.headers.get("Content-Type") or "").startswith(content_type or "")
    assert body in response.text if body else not response.text
    assert "Retry-After" not in response.headers
    assert sandbox.events() == []


def test_an_endless_body_ends_with_its_reader(sandbox: Client) -> None:
    sandbox.fault(endless_body=True, count=1)

    with sandbox.v3(web_event(), stream=True) as response:
        assert len(next(response.iter_content(1_000_000))) > 0

    assert sandbox.v3(web_event()).status_code == 200


def test_a_redirect_points_elsewhere(sandbox: Client) -> None:
    sandbox.fault(redirect="https://example.com/")

    response = sandbox.v3(web_event(), allow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (307, "https://example.com/")


@pytest.mark.parametrize(("fault", "stored"), [("drop_before_storing", 0), ("drop_after_storing", 1)])
def test_a_dropped_connection_gets_no_answer(sandbox: Client, fault: str, stored: int) -> None:
    sandbox.fault(**{fault: True, "count": 1})

    with pytest.raises(requests.ConnectionError):
        sandbox.v3(web_event())

    assert len(sandbox.events()) == stored
    assert sandbox.control("GET", "requests")["counters"]["by_status"] == {"none": 1}
    assert sandbox.v3(web_event()).status_code == 200


def test_a_delayed_answer_comes_after_the_events_are_stored(sandbox: Client) -> None:
    sandbox.fault(delay_seconds=30, count=1)

    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sandbox.url}/v3/{PIXEL}/events?access_token=sandbox-token", json={"data": [web_event()]}, timeout=0.5
        )

    assert len(sandbox.events()) == 1


def test_poison_events_are_refused_whatever_they_look_like(sandbox: Client) -> None:
    sandbox.fault(refuse_event_ids=["e2"])
    events = [web_event(event_id=f"e{number}") for number in range(1, 4)]

    assert sandbox.v3(*events).json()["event"] == 2
    body = sandbox.v2([record(client_dedup_id="e1"), record(client_dedup_id="e2")]).json()
    assert body["error_records"][0]["record_indexes"] == [1]


def test_everything_can_be_refused_while_the_validate_endpoint_passes(sandbox: Client) -> None:
    sandbox.fault(refuse_all=True, path="events")

    assert sandbox.v3(web_event()).status_code == 400
    assert sandbox.v3(web_event(), path="/validate").status_code == 200


def test_counted_faults_come_one_a_request_in_their_order(sandbox: Client) -> None:
    sandbox.fault(status=500, count=2)
    sandbox.fault(status=429, count=1)

    assert [sandbox.v3(web_event()).status_code for _ in range(4)] == [500, 500, 429, 200]


def test_a_counted_fault_wins_over_a_standing_one(sandbox: Client) -> None:
    sandbox.fault(status=503)
    sandbox.fault(status=401, count=1)

    assert [sandbox.v3(web_event()).status_code for _ in range(3)] == [401, 503, 503]


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({"path": "validate"}, [200, 503, 200, 401]),
        ({"asset_id": APP}, [200, 200, 503, 401]),
        ({"token": "sandbox-token"}, [503, 503, 503, 401]),
    ],
)
def test_a_fault_meets_only_the_requests_it_is_meant_for(
    sandbox: Client, match: dict[str, Any], met: list[int]
) -> None:
    sandbox.fault(status=503, **match)

    responses = [
        sandbox.v3(web_event()),
        sandbox.v3(web_event(), path="/validate"),
        sandbox.v3(web_event(), asset=APP),
        sandbox.v3(web_event(), token="wrong"),
    ]
    assert [response.status_code for response in responses] == met


def test_faults_are_listed_without_tokens_and_cleared(sandbox: Client) -> None:
    sandbox.fault(status=503, count=3, token="sandbox-token")
    sandbox.v3(web_event())

    assert sandbox.control("GET", "faults") == [{"status": 503, "count": 3, "token": "**********", "remaining": 2}]
    sandbox.control("DELETE", "faults")
    assert sandbox.v3(web_event()).status_code == 200


def test_a_fault_that_does_not_exist_is_refused(sandbox: Client) -> None:
    response = requests.post(f"{sandbox.url}/_sandbox/faults", json={"statsu": 503}, timeout=20)

    assert response.status_code == 400
    assert "statsu" in response.json()["error"]


def test_more_requests_than_the_rate_get_an_empty_429(sandbox: Client) -> None:
    sandbox.fault(requests_per_second=1)

    responses = [sandbox.v3(web_event()) for _ in range(20)]

    assert responses[0].status_code == 200
    throttled = [response for response in responses if response.status_code == 429]
    assert throttled
    assert not throttled[0].content
    assert "Retry-After" not in throttled[0].headers


def test_the_rate_is_counted_over_the_last_second_for_each_token() -> None:
    now = 0.0
    limit = RateLimit(clock=lambda: now)

    assert [limit.exceeded("a", 2) for _ in range(3)] == [False, False, True]
    assert not limit.exceeded("b", 2)
    now = 1.0
    assert [limit.exceeded("a", 2) for _ in range(3)] == [False, False, True]
    assert not limit.exceeded("a", 0)
