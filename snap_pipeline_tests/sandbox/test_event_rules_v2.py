"""v2: valid and refused records, and the answer for a mixed batch."""

from typing import Any

import pytest

from snap_pipeline_tests.sandbox.conftest import DAY_MS, NOW_MS, Client, app_record, record, sha256, without

HASH = sha256("person@example.com")
ANONYMOUS = without(record(), "hashed_email")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "Invalid event"),
        (without(record(), "event_type"), "event_type"),
        (without(record(), "event_conversion_type"), "event_conversion_type"),
        (without(record(), "timestamp"), "timestamp"),
        (without(record(), "pixel_id"), "pixel_id"),
        (record(pixel_id="no-uuid"), "pixel_id"),
        (without(app_record(), "snap_app_id"), "snap_app_id"),
        (without(app_record(), "app_id"), "app_id"),
        (record(timestamp=NOW_MS - 37 * DAY_MS - 1), "more than 37 days old"),
        (record(hashed_email="person@example.com"), "Unhashed PII in hashed_email"),
        (record(hashed_ip_address="203.0.113.7"), "Unhashed PII in hashed_ip_address"),
        (record(hashed_zip=sha256("")), "empty string"),
        (ANONYMOUS, "Insufficient PII"),
        (ANONYMOUS | {"user_agent": "Mozilla/5.0"}, "Insufficient PII"),
        (record(event_type="PURCHASE", currency="USD"), "PURCHASE needs price"),
        (record(event_type="PURCHASE", price="10"), "PURCHASE needs currency"),
    ],
)
def test_refuses_with_the_reason_and_stores_nothing(sandbox: Client, bad: Any, reason: str) -> None:
    response = sandbox.v2([bad])

    assert response.status_code == 400
    body = response.json()
    assert body["status"] == "FAILED"
    (named,) = body["error_records"]
    assert named["record_indexes"] == [0]
    assert reason in named["reason"]
    assert sandbox.events() == []


@pytest.mark.parametrize(
    "good",
    [
        record(timestamp=NOW_MS // 1000),
        record(timestamp=NOW_MS - 8 * DAY_MS),
        record(event_conversion_type="OFFLINE"),
        record(event_type="PURCHASE", price="10.50", currency="USD"),
        record(hashed_last_name_sdx="T235"),
        ANONYMOUS | {"hashed_phone_number": HASH},
        ANONYMOUS | {"hashed_mobile_ad_id": HASH},
        ANONYMOUS | {"hashed_ip_address": HASH, "user_agent": "Mozilla/5.0"},
        app_record(),
    ],
)
@pytest.mark.parametrize("as_list", [True, False])
def test_takes_what_snap_takes_as_object_and_as_list(sandbox: Client, good: dict[str, Any], as_list: bool) -> None:
    response = sandbox.v2([good] if as_list else good)

    assert response.status_code == 200, response.text
    assert response.json() == {"status": "SUCCESS", "reason": "All records processed", "error_records": []}
    (event,) = sandbox.events()
    assert (event["api_version"], event["event"]) == ("v2", good)


def test_names_bad_records_from_zero_and_stores_the_others(sandbox: Client) -> None:
    stale = NOW_MS - 40 * DAY_MS
    bad = [record(timestamp=stale, client_dedup_id="e2"), record(hashed_email="x"), record(timestamp=stale)]

    response = sandbox.v2([record(), *bad, record(client_dedup_id="e5")])

    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "PARTIAL_SUCCESS"
    assert [named["record_indexes"] for named in body["error_records"]] == [[1, 3], [2]]
    assert [event["event_id"] for event in sandbox.events()] == ["e1", "e5"]


def test_names_nobody_and_stores_nothing_when_told_to_withhold(sandbox: Client) -> None:
    sandbox.fault(withhold_position=True)

    response = sandbox.v2([record(), record(hashed_email="x")])

    assert (response.status_code, response.json()["error_records"]) == (400, [])
    assert sandbox.events() == []
