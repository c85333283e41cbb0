"""Each row of docs/errors.md: the outcome of the events, the number of requests, and the message."""

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from snap_pipeline.backoff import BackOff
from snap_pipeline.capi import client
from snap_pipeline.capi.answers import CATALOGUE, Category, RetryRule
from snap_pipeline.capi.catalogue_page import catalogue_page
from snap_pipeline.delivery import batch_attempt, batches
from snap_pipeline.destinations.store import Destination
from snap_pipeline_tests.delivery.conftest import Delivery, set_patience
from snap_pipeline_tests.project import TOKEN, ids


@dataclass(frozen=True)
class Row:
    """The expected outcome of six events, sent two a request.

    Attributes:
        name: of the row.
        fault: of the sandbox; without a count, it stays.
        counts: events by state afterwards.
        requests: to the events endpoint.
        stopped: the category of the answer that stopped the destination.
        says: words of its message.
        held: events that the sandbox holds before the next run.
    """

    name: str
    fault: dict[str, Any]
    counts: dict[str, int]
    requests: int
    stopped: Category | None = None
    says: str = ""
    held: int = 6


DELIVERED = {"delivered": 6}
ROWS = [
    Row("500 once", {"status": 500, "count": 1}, DELIVERED, 4),
    Row("500 for good", {"status": 500}, {"in_doubt": 6}, 12, Category.SERVER_ERROR, "3 batches in a row", held=0),
    Row("503 twice", {"status": 503, "count": 2}, DELIVERED, 5),
    Row("time-out once", {"delay_seconds": 1.0, "count": 1}, DELIVERED, 4),
    Row("time-out for good", {"delay_seconds": 1.0}, {"in_doubt": 6}, 12, Category.NO_ANSWER, "did not answer"),
    Row("dropped before storing", {"drop_before_storing": True, "count": 1}, DELIVERED, 4),
    Row("dropped after storing", {"drop_after_storing": True, "count": 1}, DELIVERED, 4),
    Row("dropped after storing for good", {"drop_after_storing": True}, {"in_doubt": 6}, 12, Category.NO_ANSWER),
    Row("429", {"status": 429, "count": 1}, DELIVERED, 4),
    Row("429 with Retry-After", {"status": 429, "retry_after": 1.5, "count": 1}, DELIVERED, 4),
    Row("401", {"status": 401}, {"pending": 6}, 1, Category.UNAUTHORIZED, "regenerate the Conversions API token", 0),
    Row("403", {"status": 403}, {"pending": 6}, 1, Category.FORBIDDEN, "permission", held=0),
    Row("404", {"status": 404}, {"pending": 6}, 1, Category.NOT_FOUND, "URL", held=0),
    Row("redirect", {"redirect": "https://example.com/"}, {"pending": 6}, 1, Category.NOT_FOUND, "URL", held=0),
    Row("413 once", {"status": 413, "count": 1}, DELIVERED, 5),
    Row("413 for good", {"status": 413, "path": "events"}, {"rejected": 6}, 9, says="too large", held=0),
    Row("200 with INVALID once", {"invalid_200": True, "count": 1}, DELIVERED, 5),
    Row("200 with INVALID for good", {"invalid_200": True, "path": "events"}, {"rejected": 6}, 9, held=0),
    Row("HTML once", {"html": True, "count": 1}, DELIVERED, 4),
    Row("HTML for good", {"html": True}, {"in_doubt": 6}, 12, Category.UNREADABLE_ANSWER, "not Snap's", held=0),
    Row("empty body once", {"empty_body": True, "count": 1}, DELIVERED, 4),
    Row("empty body for good", {"empty_body": True}, {"in_doubt": 6}, 12, Category.UNREADABLE_ANSWER, held=0),
    Row("endless body once", {"endless_body": True, "count": 1}, DELIVERED, 4),
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", 2)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.5)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_answer(delivery: Delivery, shop: Destination, row: Row) -> None:
    sent = delivery.make_payloads(6)
    delivery.project.set_fault(**row.fault)
    report = delivery.dispatch(shop)
    assert {state: report.count(state) for state in row.counts} == row.counts
    assert sum(report.counts.values()) == 6
    assert delivery.event_requests == report.stats.requests == row.requests
    assert (report.stopped and report.stopped.answer.category) == row.stopped
    assert row.says in f"{report.stopped} {report.stats.last_error}"
    assert TOKEN not in f"{report.stopped} {report.stats.last_error}"
    held = delivery.project.received()
    assert ids(held) == sorted(sent)[: row.held]
    assert len(delivery.rows("delivery_requests")) == row.requests
    # Nothing has to be reset by hand: once Snap is well, the next run delivers what is left.
    delivery.project.clear_faults()
    assert delivery.dispatch(shop).is_complete
    if "rejected" not in row.counts:
        assert ids(delivery.project.received()) == sorted(sent)


@pytest.mark.parametrize(
    "base_url",
    ["https://127.0.0.1:{port}", "http://127.0.0.1:9", "https://no-such-host.invalid"],
    ids=["TLS", "refused", "DNS"],
)
def test_without_a_connection_everything_stays_pending(delivery: Delivery, base_url: str) -> None:
    delivery.make_payloads(6)
    port = delivery.project.sandbox_url.rsplit(":", 1)[1]
    shop = delivery.project.add_destination(base_url=base_url.format(port=port))
    report = delivery.dispatch(shop)
    assert report.count("pending") == 6
    assert report.stopped is not None
    assert report.stopped.answer.category is Category.NO_CONNECTION
    assert not report.stopped.is_for_the_user
    assert not delivery.rows("delivery_intents")
    delivery.project.pipeline.destinations.set("shop", base_url=delivery.project.sandbox_url)
    assert delivery.dispatch(delivery.project.pipeline.destinations.get("shop")).count("delivered") == 6


def test_a_throttled_destination_gives_up_after_its_patience(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_patience(monkeypatch, 2.0)
    delivery.make_payloads(2)
    delivery.project.set_fault(status=429)
    report = delivery.dispatch(shop)
    assert report.count("pending") == 2
    assert report.stopped is not None
    assert report.stopped.answer.category is Category.THROTTLED
    # 1 s, then 2 s, then the patience has run out.
    assert report.stats.requests == 3


def test_retries_wait_at_least_half_a_second_then_one_then_two(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_attempt, "sleep", time.sleep)
    delivery.make_payloads(1)
    delivery.project.set_fault(status=500, count=3)
    assert delivery.dispatch(shop).count("delivered") == 1
    times = [request["monotonic"] for request in delivery.project.requests_seen()]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert [gap >= least for gap, least in zip(gaps, (0.5, 1.0, 2.0), strict=True)] == [True] * 3


def test_the_catalogue_decides_how_often_a_request_is_tried(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = replace(CATALOGUE[Category.SERVER_ERROR], retry=RetryRule(BackOff(0.1, 0.1), retries=1))
    monkeypatch.setitem(CATALOGUE, Category.SERVER_ERROR, once)
    delivery.make_payloads(1)
    delivery.project.set_fault(status=500)
    assert delivery.dispatch(shop).count("in_doubt") == 1
    assert delivery.event_requests == 2
    assert "up to 1 retry after 0.1 s;" in catalogue_page()


def test_one_destination_down_and_the_other_complete(delivery: Delivery, shop: Destination) -> None:
    down = delivery.project.add_destination("down", pixel_id="99999999-2222-4333-8444-555555555555")
    delivery.make_payloads(6)
    delivery.project.set_fault(status=500, asset_id=down.pixel_id)
    assert delivery.dispatch(down).stopped
    assert delivery.dispatch(shop).count("delivered") == 6
    assert delivery.project.received(down.pixel_id) == []
