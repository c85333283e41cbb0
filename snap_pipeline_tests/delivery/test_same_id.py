"""Events of different names under one id: each is sent, answered and counted apart, as Snap tells them apart."""

import time
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.delivery.processes import start_dispatch, take_over_dead_leases
from snap_pipeline_tests.project import HOUR, purchase

LATER = HOUR + ONE_HOUR
NAMES = ("page_view", "purchase")


def make(delivery: Delivery, *names: str, hour: datetime = HOUR, event_id: str = "x", **changes: Any) -> None:
    """Land events that differ in name alone, and make the hour's payloads."""
    delivery.project.land(*(purchase(event_id, event_name=name, **changes) for name in names), hour=hour)
    pipeline = delivery.project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, hour)
    pipeline.transformations.make_filtered_events(hour)
    pipeline.transformations.make_conversion_payloads(hour)


def received(delivery: Delivery) -> dict[str, int]:
    """Return how often the sandbox got the event of each name; it counts each once."""
    return {each["event"]["event_name"]: each["received"] for each in delivery.project.received()}


def lose_answers(delivery: Delivery, shop: Destination, hour: datetime = HOUR) -> None:
    delivery.project.set_fault(drop_after_storing=True)
    delivery.dispatch(shop, hour)
    delivery.project.clear_faults()


def test_in_the_same_hour(delivery: Delivery, shop: Destination) -> None:
    make(delivery, *NAMES, "purchase", "Order Completed")
    report = delivery.dispatch(shop)
    assert report.count("delivered") == 2
    assert received(delivery) == {"PAGE_VIEW": 1, "PURCHASE": 1}
    (batch,) = delivery.rows("dispatched_batches", "events, delivered")
    assert batch == (2, 2)
    assert [row["reason"] for row in delivery.project.rows("excluded_events")] == ["duplicate_id", "duplicate_id"]
    before = delivery.event_requests
    assert delivery.dispatch(shop).count("delivered") == 2
    assert delivery.event_requests == before


@pytest.mark.parametrize("first", [HOUR, LATER], ids=["in order", "out of order"])
def test_in_another_hour(delivery: Delivery, shop: Destination, first: datetime) -> None:
    make(delivery, "page_view", hour=HOUR)
    make(delivery, "purchase", hour=LATER)
    for hour in (first, LATER if first == HOUR else HOUR):
        assert delivery.dispatch(shop, hour).count("delivered") == 1
    make(delivery, *NAMES, hour=LATER + ONE_HOUR)
    assert delivery.dispatch(shop, LATER + ONE_HOUR).count("duplicate") == 2
    assert received(delivery) == {"PAGE_VIEW": 1, "PURCHASE": 1}


def test_one_in_doubt_leaves_the_other_pending(delivery: Delivery, shop: Destination) -> None:
    make(delivery, "page_view", hour=HOUR)
    lose_answers(delivery, shop)
    make(delivery, "purchase", hour=LATER)
    assert delivery.dispatch(shop, LATER).count("delivered") == 1
    make(delivery, *NAMES)
    report = delivery.dispatch(shop)
    assert (report.count("delivered"), report.count("duplicate")) == (1, 1)
    counts = received(delivery)
    assert set(counts) == {"PAGE_VIEW", "PURCHASE"}
    assert counts["PURCHASE"] == 1


def test_both_in_doubt_are_sent_again_each_once(delivery: Delivery, shop: Destination) -> None:
    make(delivery, *NAMES)
    lose_answers(delivery, shop)
    before, requests = received(delivery), delivery.event_requests
    assert delivery.dispatch(shop).count("delivered") == 2
    assert delivery.event_requests == requests + 1
    assert received(delivery) == {name: times + 1 for name, times in before.items()}
    assert set(before) == {"PAGE_VIEW", "PURCHASE"}
    assert delivery.rows("delivery_intents") == []


def test_refused_events_have_batches_and_receipts_of_their_own(delivery: Delivery, shop: Destination) -> None:
    make(delivery, *NAMES)
    delivery.project.set_fault(refuse_event_ids=["x"])
    report = delivery.dispatch(shop)
    assert report.count("rejected") == 2
    receipts = delivery.rows("delivery_receipts", "batch_id, event_name, outcome")
    assert sorted((name, outcome) for _, name, outcome in receipts) == [
        ("PAGE_VIEW", "rejected"),
        ("PURCHASE", "rejected"),
    ]
    delivery.project.clear_faults()
    assert delivery.dispatch(shop, retry_rejected=True).count("delivered") == 2
    assert received(delivery) == {"PAGE_VIEW": 1, "PURCHASE": 1}


def test_after_a_crash(delivery: Delivery, shop: Destination) -> None:
    make(delivery, *NAMES)
    delivery.project.set_fault(delay_seconds=2)
    process = start_dispatch(delivery.project.settings, HOUR, events_a_batch=1)
    while process.is_alive() and not delivery.event_requests:
        time.sleep(0.01)
    process.kill()
    process.join()
    take_over_dead_leases(delivery.project.pipeline.database)
    delivery.project.clear_faults()
    (in_flight,) = (name for (name,) in delivery.rows("delivery_intents", "event_name"))
    assert delivery.dispatch(shop).count("delivered") == 2
    counts = received(delivery)
    assert set(counts) == {"PAGE_VIEW", "PURCHASE"}
    assert all(times == 1 for name, times in counts.items() if name != in_flight)
    assert Counter(name for (name,) in delivery.rows("delivery_receipts", "event_name")) == Counter(counts.keys())


def test_an_answer_elsewhere_concerns_its_own_name_alone(delivery: Delivery, shop: Destination) -> None:
    make(delivery, "purchase", hour=LATER)
    delivery.dispatch(shop, LATER)
    make(delivery, "page_view", hour=HOUR)
    make(delivery, *NAMES, hour=LATER)
    delivery.dispatch(shop, HOUR)
    report = delivery.dispatch(shop, LATER)
    assert (report.count("delivered"), report.count("duplicate")) == (1, 1)
