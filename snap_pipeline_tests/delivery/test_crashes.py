"""Runs killed at any instant, then finished: everything arrives and counts once; only events in doubt go twice."""

import errno
import random
import time
from typing import Any

import pytest

from snap_pipeline import files
from snap_pipeline.delivery import batches
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import LakeError
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.delivery.processes import start_dispatch, take_over_dead_leases
from snap_pipeline_tests.project import HOUR, ids

KILLS = 30
EVENTS = 4_000
EVENTS_A_BATCH = 10


def test_killed_at_random_instants_and_then_finished(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", EVENTS_A_BATCH)
    sent = delivery.make_payloads(EVENTS)
    delivery.project.set_fault(delay_seconds=0.15)
    chance = random.Random(11)
    in_doubt: set[str] = set()
    killed_in_flight = 0
    for kill in range(KILLS):
        before = delivery.event_requests
        process = start_dispatch(delivery.project.settings, HOUR, events_a_batch=EVENTS_A_BATCH)
        # Every other one is killed while it sends, however long it took to start.
        while kill % 2 and process.is_alive() and delivery.event_requests == before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.5))
        process.kill()
        process.join()
        receipts = {event_id for (event_id,) in delivery.rows("delivery_receipts", "event_id")}
        in_flight = {event_id for (event_id,) in delivery.rows("delivery_intents", "event_id")} - receipts
        killed_in_flight += bool(in_flight)
        in_doubt |= in_flight
        held = {event["event_id"] for event in delivery.project.received()}
        assert receipts <= held
        take_over_dead_leases(delivery.project.pipeline.database)
    delivery.project.clear_faults()
    assert delivery.dispatch(shop).is_complete
    received = delivery.project.received()
    assert ids(received) == sorted(sent)
    assert sorted(event_id for (event_id,) in delivery.rows("delivery_receipts", "event_id")) == sorted(sent)
    assert {event["event_id"] for event in received if event["received"] > 1} <= in_doubt
    # The kills hit what they were meant to hit.
    assert killed_in_flight >= KILLS // 3
    assert not delivery.rows("delivery_intents")
    # Drafts lie in folders of their own, until they have been idle for long.
    left = [
        *delivery.lake.storage.path("").rglob("*.tmp"),
        *delivery.lake.storage.path("").rglob("*.ndjson"),
    ]
    assert not [path for path in left if path.parent.name != files.DRAFTS_FOLDER]


def test_requests_of_a_run_that_breaks_off_are_noted(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(20)
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", 10)
    write_receipts, written = Ledger.write_receipts, []

    def disk_full(*arguments: Any, **options: Any) -> None:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(write_receipts(*arguments, **options))

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write_receipts", disk_full)
        with pytest.raises(LakeError):
            delivery.dispatch(shop)
    assert delivery.event_requests == 2
    assert delivery.dispatch(shop).is_complete
    assert len(delivery.rows("delivery_requests")) == delivery.event_requests
