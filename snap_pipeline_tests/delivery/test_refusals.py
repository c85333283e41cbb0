"""Events that Snap refuses: found by halving if it does not name them, and never at the cost of the others."""

import random

import pytest

from snap_pipeline.capi.answers import Category
from snap_pipeline.delivery import refusals
from snap_pipeline.destinations.store import Destination
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.project import ids

EVENTS = 10_000
HAPPY_PATH = 5
PLACES = [0, EVENTS - 1, *random.Random(3).sample(range(EVENTS), 2)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("withheld", "more_requests"), [(True, 24), (False, 2)])
def test_one_poison_event_among_10_000(
    delivery: Delivery, shop: Destination, place: int, withheld: bool, more_requests: int
) -> None:
    sent = delivery.make_payloads(EVENTS)
    delivery.project.set_fault(refuse_event_ids=[sent[place]], withhold_position=withheld)
    report = delivery.dispatch(shop)
    assert (report.count("delivered"), report.count("rejected")) == (EVENTS - 1, 1)
    assert delivery.event_requests <= HAPPY_PATH + more_requests
    rejected = [row for row in delivery.rows("delivery_receipts", "event_id, http_status, reason") if row[2]]
    assert [row[:2] for row in rejected] == [(sent[place], 400)]
    assert len(delivery.project.received()) == EVENTS - 1
    before = delivery.event_requests
    assert delivery.dispatch(shop).is_complete
    assert delivery.event_requests == before


def test_where_everything_is_refused_but_a_test_event_passes_all_are_rejected_in_bounded_requests(
    delivery: Delivery, shop: Destination
) -> None:
    delivery.make_payloads(400)
    delivery.project.set_fault(refuse_all=True, withhold_position=True, path="events")
    report = delivery.dispatch(shop)
    assert report.count("rejected") == 400
    assert delivery.event_requests <= 2 * 400
    assert len(delivery.project.requests_seen("/validate")) == 1


def test_where_everything_is_refused_and_so_is_a_test_event_nothing_is_rejected(
    delivery: Delivery, shop: Destination
) -> None:
    delivery.make_payloads(4_000)
    delivery.project.set_fault(refuse_all=True, withhold_position=True)
    report = delivery.dispatch(shop)
    assert (report.count("pending"), report.count("rejected")) == (4_000, 0)
    assert report.stopped is not None
    assert report.stopped.answer.category is Category.REFUSED
    assert delivery.event_requests <= 64
    assert not delivery.rows("delivery_receipts")


def test_refused_requests_of_a_run_are_bounded(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "REFUSED_REQUESTS", 100)
    delivery.make_payloads(4_000)
    delivery.project.set_fault(refuse_all=True, withhold_position=True, path="events")
    first = delivery.dispatch(shop)
    assert first.stopped
    assert delivery.event_requests <= 120
    assert first.count("rejected") + first.count("pending") == 4_000


@pytest.mark.parametrize("withheld", [True, False])
def test_an_hour_of_one_bad_event_does_not_block_for_ever(
    delivery: Delivery, shop: Destination, *, withheld: bool
) -> None:
    delivery.make_payloads(1)
    delivery.project.set_fault(refuse_event_ids=["e0"], withhold_position=withheld)
    assert delivery.dispatch(shop).count("rejected") == 1
    assert delivery.event_requests == 1


def test_v2_rejects_each_of_several_named_records_in_one_run(delivery: Delivery) -> None:
    shop = delivery.project.add_destination(api_version="v2")
    sent = delivery.make_payloads(10)
    delivery.project.set_fault(refuse_event_ids=["e3", "e7", "e8"])
    report = delivery.dispatch(shop)
    assert (report.count("delivered"), report.count("rejected"), report.count("pending")) == (7, 3, 0)
    assert ids(delivery.project.received()) == sorted(set(sent) - {"e3", "e7", "e8"})
    rejected = {event_id for event_id, outcome in delivery.rows("delivery_receipts", "event_id, outcome")
                if outcome == "rejected"}  # fmt: skip
    assert rejected == {"e3", "e7", "e8"}


@pytest.mark.parametrize("status", ["400", "200"])
def test_partial_acceptance_rejects_the_named_and_takes_the_others_as_taken(
    delivery: Delivery, shop: Destination, status: str
) -> None:
    sent = delivery.make_payloads(10)
    delivery.project.set_fault(refuse_event_ids=["e3", "e7"], partial_acceptance=status == "200")
    report = delivery.dispatch(shop)
    assert (report.count("delivered"), report.count("rejected")) == (8, 2)
    assert ids(delivery.project.received()) == sorted(set(sent) - {"e3", "e7"})
