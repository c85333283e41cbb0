"""Several processes at once: the token's limit holds over all of them, and an hour is sent by one."""

from functools import partial
from typing import Any

import pytest

from snap_pipeline.delivery import batches, dispatch
from snap_pipeline.delivery.leases import acquire
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.delivery.processes import FORKS, start_dispatch
from snap_pipeline_tests.project import HOUR, ids

LIMIT = 240
"""Requests a minute: four a second, so that a few seconds show whether the limit holds."""
SECONDS = 61.0
"""The time over which a minute's requests are spread."""


def test_four_processes_on_four_hours_keep_to_one_limit_and_all_finish(delivery: Delivery) -> None:
    delivery.project.add_destination(requests_per_minute=LIMIT)
    hours = [HOUR - n * ONE_HOUR for n in range(4)]
    sent = [each for n, hour in enumerate(hours) for each in delivery.make_payloads(100, hour, prefix=f"h{n}-")]
    answers = FORKS.Queue()
    processes = [start_dispatch(delivery.project.settings, hour, answers, events_a_batch=20) for hour in hours]
    assert [answers.get(timeout=60) for _ in processes] == [(5, None)] * 4
    for process in processes:
        process.join()
    assert ids(delivery.project.received()) == sorted(sent)
    times = sorted(request["monotonic"] for request in delivery.project.requests_seen())
    # Spread evenly, no window of a second holds more than a second's share; a burst would show at once. What the
    # machine delays can only bring two requests closer by as much, hence one more.
    busiest = max(sum(1 for other in times if start <= other < start + 1.0) for start in times)
    assert busiest <= LIMIT / SECONDS + 2
    assert times[-1] - times[0] >= (len(times) - 2) * SECONDS / LIMIT


def test_of_two_processes_on_one_hour_one_sends_and_the_other_finds_nothing_left(delivery: Delivery) -> None:
    delivery.project.add_destination()
    sent = delivery.make_payloads(400)
    delivery.project.set_fault(delay_seconds=0.1)
    answers = FORKS.Queue()
    processes = [start_dispatch(delivery.project.settings, HOUR, answers, events_a_batch=20) for _ in range(2)]
    results = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(requests for requests, _ in results) == [0, 20]
    assert [event["received"] for event in delivery.project.received()] == [1] * len(sent)


def test_whoever_waits_in_vain_for_the_lease_sends_nothing_and_says_so(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(10)
    database = delivery.project.pipeline.database
    with acquire(database, shop.workspace, shop.id, format_hour(HOUR)):
        answers = FORKS.Queue()
        process = start_dispatch(delivery.project.settings, HOUR, answers, lease_wait_seconds=1.0)
        requests, skipped = answers.get(timeout=60)
        process.join()
    assert requests == 0
    assert "Another run is sending 2026-11-20T12" in skipped
    assert delivery.event_requests == 0


def test_a_run_that_finds_the_lease_taken_does_not_fail_the_schedule(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(1)
    monkeypatch.setattr(dispatch, "acquire", partial(acquire, wait_seconds=0.0))
    with acquire(delivery.project.pipeline.database, shop.workspace, shop.id, format_hour(HOUR)):
        result = delivery.project.materialize()
    assert result.success
    assert delivery.event_requests == 0


def test_an_hour_that_is_made_again_while_it_is_sent_loses_nothing_and_sends_nothing_twice(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the new partition stand elsewhere than those that the run had chosen."""
    delivery.make_payloads(10)
    delivery.dispatch(shop)
    delivery.make_payloads(20)
    run = batches.BatchStream.run

    def run_later(stream: Any) -> Any:
        delivery.make_payloads(20, backwards=True)
        return run(stream)

    with monkeypatch.context() as patch:
        patch.setattr(batches.BatchStream, "run", run_later)
        assert delivery.dispatch(shop).count("delivered") == 20
    assert delivery.dispatch(shop).count("delivered") == 20
    assert {event["event_id"]: event["received"] for event in delivery.project.received()} == {
        f"e{i}": 1 for i in range(20)
    }
