"""v3: valid and refused events."""

from typing import Any

import pytest

from snap_pipeline_tests.sandbox.conftest import (
    DAY_MS,
    NOW_MS,
    Client,
    app_event,
    purchase,
    sha256,
    web_event,
    without,
)

HASH = sha256("person@example.com")
ADDRESS_AND_AGENT = {"client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0"}
LONG = "0" * 63


def user(**fields: Any) -> dict[str, Any]:
    return web_event(user_data=fields)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("text", "Invalid event"),
        (without(web_event(), "event_name"), "event_name"),
        (without(web_event(), "event_time"), "event_time"),
        (without(web_event(), "action_source"), "action_source"),
        (without(web_event(), "user_data"), "user_data"),
        (web_event(action_source="BILLBOARD"), "Invalid action_source"),
        (web_event(event_time="yesterday"), "Invalid timestamp"),
        (web_event(event_time=True), "Invalid timestamp"),
        (web_event(event_time=NOW_MS - 7 * DAY_MS - 1), "more than 7 days old"),
        (app_event(event_time=NOW_MS - 7 * DAY_MS - 1), "more than 7 days old"),
        (web_event(action_source="OFFLINE", event_time=NOW_MS - 37 * DAY_MS - 1), "more than 37 days old"),
        (web_event(event_time=NOW_MS + 11 * 60_000), "in the future"),
        (user(em="person@example.com"), "Unhashed PII in em"),
        (user(em=HASH, ph="+14155550123"), "Unhashed PII in ph"),
        (user(em=[HASH, "person@example.com"]), "Unhashed PII in em"),
        (user(em=HASH.upper()), "Unhashed PII in em"),
        (user(em=LONG), "Unhashed PII in em"),
        (user(em=HASH, fn="john"), "Unhashed PII in fn"),
        (user(em=HASH, country="us"), "Unhashed PII in country"),
        (user(em=sha256("")), "empty string"),
        (user(client_ip_address=sha256("203.0.113.7"), client_user_agent="Mozilla/5.0"), "client_ip_address"),
        (user(), "Insufficient PII"),
        (user(em=[]), "Insufficient PII"),
        (user(client_ip_address="203.0.113.7"), "Insufficient PII"),
        (user(client_user_agent="Mozilla/5.0"), "Insufficient PII"),
        (user(sc_click_id="c", sc_cookie1="s", external_id="x", fn=HASH), "Insufficient PII"),
        (user(madid="01234567-89ab-4cde-8f01-23456789abcd"), "Insufficient PII"),
        (purchase(custom_data={"currency": "USD"}), "PURCHASE needs value"),
        (purchase(custom_data={"value": "ten", "currency": "USD"}), "PURCHASE needs value"),
        (purchase(custom_data={"value": -1, "currency": "USD"}), "PURCHASE needs value"),
        (purchase(custom_data={"value": 10}), "PURCHASE needs currency"),
        (without(purchase(), "custom_data"), "PURCHASE needs value"),
        (without(app_event(), "app_data"), "app_data"),
        (app_event(app_data={}), "app_data.extinfo"),
        (app_event(app_data={"extinfo": ["i2"] * 15}), "app_data.extinfo"),
    ],
)
def test_refuses_with_the_reason_and_stores_nothing(sandbox: Client, event: Any, reason: str) -> None:
    response = sandbox.v3(event)

    assert response.status_code == 400
    body = response.json()
    assert (body["status"], body["event"]) == ("INVALID", 1)
    assert reason in body["errors"]["error_msgs"][0]
    assert len(body["errors"]["codes"]) == 1
    assert sandbox.events() == []


@pytest.mark.parametrize(
    "event",
    [
        web_event(event_time=NOW_MS // 1000),
        web_event(event_time=str(NOW_MS)),
        web_event(event_time=NOW_MS - 7 * DAY_MS),
        web_event(event_time=NOW_MS + 9 * 60_000),
        web_event(action_source="website"),
        web_event(action_source="physical_store", event_time=NOW_MS - 37 * DAY_MS),
        web_event(event_name="BOOKED_A_TOUR"),
        user(em=HASH, ph=None, fn=[HASH]),
        user(ph=[HASH]),
        user(**ADDRESS_AND_AGENT),
        user(**ADDRESS_AND_AGENT | {"client_ip_address": "2001:db8::1"}),
        app_event(),
        purchase(custom_data={"value": "10.50", "currency": "XAF"}),
    ],
)
def test_takes_what_snap_takes(sandbox: Client, event: dict[str, Any]) -> None:
    response = sandbox.v3(event)

    assert response.status_code == 200, response.text
    assert response.json() == {"status": "VALID", "reason": "Events have been processed successfully."}
    assert len(sandbox.events()) == 1


def test_a_reason_never_repeats_personal_data(sandbox: Client) -> None:
    assert "person@example.com" not in sandbox.v3(user(em="person@example.com")).text


def test_time_and_type_are_reported_in_one_spelling(sandbox: Client) -> None:
    sandbox.v3(web_event(event_time=NOW_MS // 1000, action_source="phone_call", event_id=17))

    (event,) = sandbox.events()
    assert (event["event_time"], event["action_source"], event["event_id"]) == (NOW_MS, "OFFLINE", "17")
