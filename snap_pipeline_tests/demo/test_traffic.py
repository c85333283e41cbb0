"""The sample traffic: reproducible, and with everything that the demo shows."""

import gzip
import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from snap_pipeline.demo.traffic import hour_files, write_traffic
from snap_pipeline.hours import hours_between, parse_hour

MONDAY = parse_hour("2026-11-16T00")
WEEK = list(hours_between(MONDAY, MONDAY + timedelta(hours=167)))
EVENING = parse_hour("2026-11-20T20")
EXAMPLE_NETWORKS = [
    ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]

Event = dict[str, Any]


def lines_of(hour: datetime) -> list[tuple[str, str]]:
    """Yield each line with its file's name."""
    return [
        (name, line)
        for name, content in hour_files(hour).items()
        for line in (gzip.decompress(content) if name.endswith(".gz") else content).decode().splitlines()
    ]


def parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@pytest.fixture(scope="module")
def lines() -> list[tuple[datetime, str, str]]:
    return [(hour, name, line) for hour in WEEK for name, line in lines_of(hour)]


@pytest.fixture(scope="module")
def events(lines: list[tuple[datetime, str, str]]) -> list[Event]:
    """All events of the week, with their hour and file."""
    records = ((hour, name, parsed(line)) for hour, name, line in lines)
    return [record | {"_hour": hour, "_file": name} for hour, name, record in records if isinstance(record, dict)]


def name_of(event: Event) -> str:
    return str(event.get("event_name") or event.get("event") or event["type"])


def id_of(event: Event) -> str:
    return str(event.get("event_id") or event["messageId"])


def moment_of(event: Event) -> datetime:
    given = event.get("event_timestamp") or event["timestamp"]
    if str(given).isdigit():
        return datetime.fromtimestamp(int(given) / 1000, tz=MONDAY.tzinfo)
    return datetime.fromisoformat(given)


def traits_of(event: Event) -> Event:
    return event if "event_id" in event else event["context"].get("traits", {})


def purchases(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if name_of(event) in ("purchase", "Order Completed", "cod_order")]


def order_of(event: Event) -> str:
    return str(event.get("order_id") or event["properties"]["order_id"])


def share(events: list[Event], holds: Callable[[Event], object]) -> float:
    return sum(1 for event in events if holds(event)) / len(events)


def test_an_hour_is_the_same_each_time_and_unlike_the_next() -> None:
    assert hour_files(EVENING) == hour_files(EVENING + timedelta(minutes=30))
    assert hour_files(EVENING) != hour_files(EVENING + timedelta(hours=1))


def test_writing_again_leaves_files_untouched_and_mends_those_that_differ(tmp_path: Path) -> None:
    hours = WEEK[:3]
    first = write_traffic(tmp_path, hours)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert {path.relative_to(tmp_path).parts[:2] for path in files} == {
        ("default", key) for key in ("2026-11-16T00", "2026-11-16T01", "2026-11-16T02")
    }
    assert (first.hours, first.files, first.written) == (3, len(files), len(files))

    second = write_traffic(tmp_path, hours)
    assert (second.written, second.lines) == (0, first.lines)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == files

    web = tmp_path / "default/2026-11-16T01/web.ndjson"
    web.write_text("cut off")
    assert write_traffic(tmp_path, hours).written == 1
    assert web.read_bytes() == hour_files(WEEK[1])["web.ndjson"]


def test_a_workspace_has_a_folder_of_its_own(tmp_path: Path) -> None:
    write_traffic(tmp_path, [EVENING], workspace="shop-two")
    assert (tmp_path / "shop-two/2026-11-20T20/web.ndjson").exists()


def test_a_week_has_quiet_nights_and_busy_evenings(lines: list[tuple[datetime, str, str]]) -> None:
    assert 14_000 < len(lines) < 17_000
    by_hour = Counter(hour.hour for hour, _, _ in lines)
    assert 35 * 7 < min(by_hour.values()) < 55 * 7
    assert 135 * 7 < max(by_hour.values()) < 165 * 7
    assert by_hour[20] == max(by_hour.values())


def test_bad_lines_are_few_and_of_each_kind(lines: list[tuple[datetime, str, str]]) -> None:
    bad = [(hour, line) for hour, _, line in lines if not isinstance(parsed(line), dict)]
    assert {line[0] for _, line in bad} == {"{", "[", "5"}
    assert 0.05 < len({hour for hour, _ in bad}) / len(WEEK) < 0.4


def test_every_event_happened_in_the_hour_that_it_landed_in(events: list[Event]) -> None:
    assert all(event["_hour"] <= moment_of(event) < event["_hour"] + timedelta(hours=1) for event in events)


def test_an_id_repeats_only_where_a_line_was_sent_twice_within_an_hour(events: list[Event]) -> None:
    copies: dict[str, set[str]] = {}
    for event in events:
        copies.setdefault(id_of(event), set()).add(repr(event))
    assert all(len(contents) == 1 for contents in copies.values())
    assert 0.003 < 1 - len(copies) / len(events) < 0.02


@pytest.mark.parametrize(
    ("file", "names"),
    [
        (
            "web.ndjson",
            "session_start page_view page_hidden consent_update view_item_list view_item search add_to_wishlist "
            "add_to_cart begin_checkout add_payment_info purchase sign_up login identify",
        ),
        ("app.ndjson.gz", "Application_Installed Application_Opened screen Product_Added Order_Completed identify"),
        ("server.ndjson", "Order_Completed Order_Shipped Newsletter_Subscribed identify"),
        ("orders.ndjson", "cod_order Order_Completed"),
    ],
)
def test_each_file_has_its_kinds_of_events(events: list[Event], file: str, names: str) -> None:
    assert {name.replace("_", " ") if name[0].isupper() else name for name in names.split()} <= {
        name_of(event) for event in events if event["_file"] == file
    }


def test_orders_without_a_browser_say_where_they_come_from(events: list[Event]) -> None:
    orders = [event for event in events if event["_file"] == "orders.ndjson"]
    assert {event["origin"] for event in orders} == {"cod_webhook", "csv"}


def test_purchases_have_one_to_four_products_a_value_a_currency_and_an_order(events: list[Event]) -> None:
    for event in purchases(events):
        order = event.get("properties", event)
        products = order["products"] if "products" in order else order["item_ids"].split(";")
        assert 1 <= len(products) <= 4
        assert float(order.get("value") or order["revenue"]) > 0
        assert order["currency"] in ("EUR", "GBP", "USD")
        assert order_of(event).startswith("SH-")


def test_purchases_lack_what_real_shops_lack(events: list[Event]) -> None:
    made = purchases(events)
    assert 0.55 < share(made, lambda event: traits_of(event).get("email")) < 0.68
    assert 0.18 < share(made, lambda event: traits_of(event).get("phone")) < 0.32
    assert 0 < share(made, lambda event: event.get("click_ids")) < 0.1


def test_some_orders_are_reported_twice_under_different_ids(events: list[Event]) -> None:
    ids: dict[str, set[str]] = {}
    for event in purchases(events):
        ids.setdefault(order_of(event), set()).add(id_of(event))
    assert 0.01 < sum(len(each) > 1 for each in ids.values()) / len(ids) < 0.15


def test_the_click_id_stands_in_the_landing_address_of_four_visits_in_ten(events: list[Event]) -> None:
    web = [event for event in events if event["_file"] == "web.ndjson"]
    landings = [event for event in web if event["properties"].get("title") == "Sample Shop"]
    assert 0.35 < share(landings, lambda event: "utm_source=snapchat" in event["page_url"]) < 0.45
    assert any("ScCid=" in event["page_url"] for event in landings)
    assert any("sclid=" in event["page_url"] for event in landings)
    assert not any("utm_source" in event["page_url"] for event in web if event not in landings)
    assert all(event["page_url"].startswith("https://shop.example.com") for event in web)
    assert 0.4 < share(web, lambda event: event.get("sc_cookie1")) < 0.8


def test_people_return_log_in_use_two_devices_and_share_one(events: list[Event]) -> None:
    hours_seen: dict[str, set[datetime]] = {}
    devices: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    for event in events:
        device = event.get("anonymous_id") or event.get("anonymousId")
        person = event.get("user_id") or event.get("userId")
        if device:
            hours_seen.setdefault(device, set()).add(event["_hour"])
        if device and person:
            devices.setdefault(person, set()).add(device)
            people.setdefault(device, set()).add(person)
    assert sum(len(hours) > 1 for hours in hours_seen.values()) > 300
    assert sum(len(each) > 1 for each in devices.values()) > 10
    assert sum(len(each) > 1 for each in people.values()) == 1


def test_consent_is_granted_denied_limited_or_not_given(events: list[Event]) -> None:
    choices = [event.get("consent") or event.get("context", {}).get("consent", {}) for event in events]
    said = {json.dumps(choice.get("categoryPreferences", choice)) for choice in choices if choice}
    assert said == {
        '{"analytics": true, "marketing": true}',
        '{"analytics": true, "marketing": false}',
        '{"analytics": true, "marketing": true, "ad_personalization": false}',
    }
    assert not all(choices)


def test_app_events_tell_of_device_system_and_app(events: list[Event]) -> None:
    app = [event["context"] for event in events if event["_file"] == "app.ndjson.gz"]
    assert all({"app", "device", "os", "screen", "network"} <= context.keys() for context in app)
    assert {context["os"]["name"] for context in app} == {"iOS", "Android"}
    assert any(context["device"]["advertisingId"] for context in app)


def test_a_few_events_say_nothing_of_who_did_it(events: list[Event]) -> None:
    nobody = {"anonymous_id", "anonymousId", "user_id", "userId", "email", "phone", "ip_address"}
    assert 0.02 < share(events, lambda event: not nobody & event.keys()) < 0.05


def test_what_client_libraries_do_to_values_is_there(events: list[Event]) -> None:
    assert any(isinstance(event.get("properties", {}).get("value"), str) for event in events)
    assert any(isinstance(event.get("event_timestamp"), int) for event in events)
    assert any(event.get("email", "") is None for event in events)
    assert any(not str(event.get("first_name", "")).isascii() for event in events)


def test_nobody_in_it_can_exist(events: list[Event]) -> None:
    addresses = {event.get("ip_address") or event.get("context", {}).get("ip") for event in events} - {None}
    assert all(any(ipaddress.ip_address(address) in network for network in EXAMPLE_NETWORKS) for address in addresses)
    traits = [event.get("traits") or traits_of(event) for event in events if "event_id" in event or "context" in event]
    emails = {str(each["email"]).strip().lower() for each in traits if each.get("email")}
    assert {email.split("@")[1] for email in emails} == {"example.com", "example.org", "example.net"}
    phones = {
        "".join(filter(str.isdigit, str(each["phone"]))).removeprefix("00") for each in traits if each.get("phone")
    }
    reserved = ("447700900", "121355501", "151255501", "493023125", "492214710", "3363998")
    assert all(phone.startswith(reserved) for phone in phones)
