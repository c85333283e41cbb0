"""Deduplication: ids within 48 hours, orders within 30 days, over the pixel and both API versions."""

from typing import Any

import pytest

from snap_pipeline_tests.sandbox.conftest import APP, DAY_MS, NOW_MS, PIXEL, Client, purchase, record, sha256, web_event

HASH = sha256("person@example.com")


def test_a_copy_counts_once_and_is_seen_as_received_twice(sandbox: Client) -> None:
    assert sandbox.v3(web_event(), web_event()).status_code == 200
    assert sandbox.v3(web_event()).status_code == 200

    assert [(event["event_id"], event["received"]) for event in sandbox.events()] == [("e1", 3)]


@pytest.mark.parametrize(
    ("asset", "other"),
    [
        (APP, web_event()),
        (PIXEL, web_event(event_name="SEARCH")),
        (PIXEL, web_event(event_id="e2")),
        (PIXEL, web_event(event_time=NOW_MS - 2 * DAY_MS - 1)),
    ],
)
def test_another_asset_name_id_or_day_counts_again(sandbox: Client, asset: str, other: dict[str, Any]) -> None:
    sandbox.v3(web_event())
    sandbox.v3(other, asset=asset)

    assert [event["received"] for event in sandbox.events()] == [1, 1]


@pytest.mark.parametrize(("later", "counted"), [(2 * DAY_MS, 1), (2 * DAY_MS + 1, 2)])
def test_a_copy_counts_again_when_it_arrives_after_48_hours(sandbox: Client, later: int, counted: int) -> None:
    sandbox.v3(web_event())
    sandbox.clock(NOW_MS + later)
    sandbox.v3(web_event())

    assert len(sandbox.events()) == counted


def test_events_without_an_id_all_count(sandbox: Client) -> None:
    sandbox.v3(web_event(event_id=None), web_event(event_id=None))

    assert len(sandbox.events()) == 2


@pytest.mark.parametrize(("later", "counted"), [(30 * DAY_MS, 1), (30 * DAY_MS + 1, 2)])
def test_an_order_counts_once_in_30_days_whatever_its_ids(sandbox: Client, later: int, counted: int) -> None:
    sandbox.v3(purchase())
    sandbox.clock(NOW_MS + later)
    sandbox.v3(purchase(event_id="other", event_time=NOW_MS + later))

    assert len(sandbox.events()) == counted


def test_an_order_id_joins_purchases_alone(sandbox: Client) -> None:
    sandbox.v3(purchase(), purchase(event_id="e2", event_name="START_CHECKOUT"))

    assert len(sandbox.events()) == 2


def test_the_first_copy_wins_and_the_second_adds_its_fields(sandbox: Client) -> None:
    sandbox.v3(web_event(event_source_url="https://shop.example/first"))
    sandbox.v3(web_event(event_source_url="https://shop.example/second", integration="x", user_data={"ph": HASH}))

    (event,) = sandbox.events()
    assert event["event"]["event_source_url"] == "https://shop.example/first"
    assert event["event"]["integration"] == "x"
    assert event["event"]["user_data"] == {"em": [HASH], "ph": HASH}


def test_browser_pixel_and_server_count_once_together(sandbox: Client) -> None:
    sandbox.pixel(client_dedup_id="e1")
    sandbox.v3(web_event())
    sandbox.pixel(name="PURCHASE", transaction_id="o1")
    sandbox.v3(purchase(event_id="e2"))
    sandbox.v3(web_event(event_id="e3"))

    counted = [(event["event_name"], event["sources"], event["received"]) for event in sandbox.events()]
    assert counted == [
        ("PAGE_VIEW", ["pixel", "server"], 2),
        ("PURCHASE", ["pixel", "server"], 2),
        ("PAGE_VIEW", ["server"], 1),
    ]


def test_v2_and_v3_count_once_together(sandbox: Client) -> None:
    sandbox.v2(record())
    sandbox.v3(web_event())

    assert [(event["api_version"], event["received"]) for event in sandbox.events()] == [("v2", 2)]


def test_events_are_listed_by_asset_and_by_ids_alone(sandbox: Client) -> None:
    sandbox.v3(web_event())
    sandbox.v3(purchase(), asset=APP)

    assert sandbox.events(f"?asset_id={APP}&fields=ids") == [
        {"asset_id": APP, "event_name": "PURCHASE", "event_id": "e1", "received": 1}
    ]
    (event,) = sandbox.events(f"?asset_id={PIXEL}")
    assert event == {
        "asset_id": PIXEL,
        "event_name": "PAGE_VIEW",
        "event_id": "e1",
        "received": 1,
        "action_source": "WEB",
        "event_time": NOW_MS,
        "order_id": None,
        "api_version": "v3",
        "sources": ["server"],
        "event": web_event(),
    }
