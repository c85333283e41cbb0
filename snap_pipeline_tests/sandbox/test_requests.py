"""Rules of whole requests: access, size, and the event that a v3 refusal names."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from snap_pipeline.sandbox.server import SandboxServer
from snap_pipeline_tests.sandbox.conftest import (
    APP,
    NOW,
    PIXEL,
    TOKEN,
    Client,
    app_event,
    app_record,
    purchase,
    record,
    web_event,
)

BAD = web_event(event_id="bad", user_data={"em": "person@example.com"})
INVALID_TOKEN = (401, {"status": "INVALID", "reason": "Invalid access token"})


def outcome(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


@pytest.fixture(scope="module")
def strict() -> Iterator[Client]:
    arguments = ["--token", "one", "--token", "two", "--asset", PIXEL, "--app", APP]
    with SandboxServer(
        [*arguments, "--require-source-url", "--strict-names", "--partial-acceptance"], now=NOW
    ) as server:
        yield Client(server.url)


def test_v3_refuses_an_unknown_token_and_an_ill_formed_asset(sandbox: Client) -> None:
    assert outcome(sandbox.v3(web_event(), token="wrong")) == INVALID_TOKEN
    assert outcome(sandbox.v3(web_event(), asset="shop")) == INVALID_TOKEN
    assert sandbox.events() == []


def test_v3_reads_the_token_from_the_query_alone(sandbox: Client) -> None:
    response = sandbox.v3(web_event(), token="", headers={"Authorization": f"Bearer {TOKEN}"})

    assert outcome(response) == INVALID_TOKEN


def test_v2_reads_the_token_from_the_header_alone(sandbox: Client) -> None:
    address = f"{sandbox.url}/v2/conversion"

    assert outcome(sandbox.v2(record(), token="wrong")) == INVALID_TOKEN
    assert outcome(requests.post(address, params={"access_token": TOKEN}, json=record(), timeout=20)) == INVALID_TOKEN


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b"{}", b'{"data": {}}', b'{"data": []}', b'{"data": null}']
)
def test_v3_refuses_a_body_that_is_not_its_envelope(sandbox: Client, body: bytes) -> None:
    response = requests.post(f"{sandbox.url}/v3/{PIXEL}/events?access_token={TOKEN}", data=body, timeout=20)

    assert response.status_code == 400
    assert response.json()["status"] == "INVALID"
    assert response.json()["errors"]["error_msgs"]
    assert "event" not in response.json()


@pytest.mark.parametrize("body", [[], "text", 7])
def test_v2_refuses_a_body_that_holds_no_records(sandbox: Client, body: Any) -> None:
    assert sandbox.v2(body).status_code == 400


def test_takes_two_thousand_events_and_not_one_more(sandbox: Client) -> None:
    events = [web_event(event_id=str(number)) for number in range(2_001)]
    records = [record(client_dedup_id=f"v2-{number}") for number in range(2_001)]

    assert sandbox.v3(*events).status_code == sandbox.v2(records).status_code == 400
    assert sandbox.events("?fields=ids") == []
    assert sandbox.v3(*events[:2_000]).status_code == sandbox.v2(records[:2_000]).status_code == 200
    assert len(sandbox.events("?fields=ids")) == 4_000


def test_v3_names_the_first_bad_event_from_one_and_stores_nothing(sandbox: Client) -> None:
    response = sandbox.v3(web_event(), BAD, BAD, web_event(event_id="e4"))

    assert (response.status_code, response.json()["event"]) == (400, 2)
    assert sandbox.events() == []


def test_v3_stores_the_valid_rest_where_partial_acceptance_is_on(sandbox: Client) -> None:
    sandbox.fault(partial_acceptance=True)

    response = sandbox.v3(web_event(), BAD, web_event(event_id="e3"))

    assert (response.status_code, response.json()["event"]) == (400, 2)
    assert [event["event_id"] for event in sandbox.events()] == ["e1", "e3"]


def test_v3_withholds_the_position_where_told_to(sandbox: Client) -> None:
    sandbox.fault(withhold_position=True)

    assert "event" not in sandbox.v3(web_event(), BAD).json()


def test_v3_refuses_app_and_web_events_in_one_request(sandbox: Client) -> None:
    response = sandbox.v3(web_event(), app_event(event_id="a"))

    assert response.status_code == 400
    assert "mixed" in response.json()["errors"]["error_msgs"][0]


def test_named_tokens_and_assets_are_the_only_ones(strict: Client) -> None:
    other = "33333333-3333-4333-8333-333333333333"
    event = web_event(event_source_url="https://shop.example/")

    assert strict.v3(event, token="one").status_code == strict.v3(event, token="two").status_code == 200
    assert outcome(strict.v3(event)) == INVALID_TOKEN
    assert outcome(strict.v3(event, token="one", asset=other)) == INVALID_TOKEN
    foreign = strict.v2(record(pixel_id=other, page_url="https://shop.example/"), token="one").json()
    assert "pixel_id" in foreign["error_records"][0]["reason"]


def test_a_named_app_takes_app_events_and_nothing_else_does(strict: Client) -> None:
    web = web_event(event_source_url="https://shop.example/")

    assert strict.v3(app_event(), token="one", asset=APP).status_code == 200
    assert strict.v3(app_event(), token="one", asset=PIXEL).status_code == 400
    assert strict.v3(web, token="one", asset=APP).status_code == 400
    assert strict.v2(app_record(snap_app_id=PIXEL), token="one").status_code == 400


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (web_event(), "event_source_url"),
        (web_event(event_source_url="https://shop.example/", event_name="BOOKED_A_TOUR"), "Unknown event name"),
        (
            purchase(event_source_url="https://shop.example/", custom_data={"value": 1, "currency": "XAF"}),
            "Unknown currency",
        ),
    ],
)
def test_strict_switches_refuse_what_is_taken_by_default(strict: Client, event: dict[str, Any], reason: str) -> None:
    assert reason in strict.v3(event, token="one").json()["errors"]["error_msgs"][0]


def test_switches_outlive_a_reset(strict: Client) -> None:
    strict.control("POST", "reset")

    strict.v3(web_event(), web_event(event_id="good", event_source_url="https://shop.example/"), token="one")

    assert [event["event_id"] for event in strict.events()] == ["good"]
