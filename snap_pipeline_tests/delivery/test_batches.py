"""The composition of batches, and their order."""

import pytest

from snap_pipeline.delivery import batches
from snap_pipeline.destinations.store import Destination
from snap_pipeline_tests.delivery.conftest import Delivery


def test_batches_follow_event_time_whatever_the_order_of_rows(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", 4)
    delivery.make_payloads(10, backwards=True)
    assert delivery.dispatch(shop).count("delivered") == 10
    ids: dict[str, set[str]] = {}
    for batch_id, event_id in delivery.rows("delivery_receipts", "batch_id, event_id"):
        ids.setdefault(batch_id, set()).add(event_id)
    assert sorted(map(sorted, ids.values())) == [["e0", "e1", "e2", "e3"], ["e4", "e5", "e6", "e7"], ["e8", "e9"]]
    assert [event["event"]["event_id"] for event in delivery.project.received()][:4] == ["e0", "e1", "e2", "e3"]


def test_the_batches_of_an_hour_that_is_made_again_in_another_order_are_the_same(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", 4)
    batch_ids = []
    for backwards in (False, True):
        delivery.make_payloads(10, backwards=backwards)
        delivery.dispatch(shop)
        batch_ids.append({batch_id for (batch_id,) in delivery.rows("delivery_receipts", "batch_id")})
        for table in ("delivery_receipts", "delivery_requests"):
            for file in (delivery.lake.storage.path("") / table).glob("hour=*/**/*.*"):
                file.unlink()
    assert batch_ids[0] == batch_ids[1]
    assert len(batch_ids[0]) == 3
