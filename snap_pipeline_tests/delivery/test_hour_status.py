"""The delivery status of an hour, and its cache."""

import json

import duckdb
import pytest

from snap_pipeline.delivery.hour_status import FILE, hour_status_of
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.project import HOUR, NOW


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_states_are_told_in_one_order_whatever_the_order_of_events(direction: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table payload_states as
            select
                'e' || i as event_id,
                'PURCHASE' as event_name,
                ['delivered', 'in_doubt', 'undeliverable', 'undeliverable'][i + 1] as state,
                [null, null, 'expired', 'no_app_id'][i + 1] as reason,
                true as is_deliverable,
                null::timestamp as expires_at,
                null::timestamp as first_sent_at,
                i as file_row_number
            from range(4) as numbers (i)
            order by i {direction};
            create table conversion_payloads as
            select i as file_row_number, 'PURCHASE' as event_name, 10.5 as value, 'EUR' as currency
            from range(4) as numbers (i);
            create table own_receipts as select 'e0' as event_id, 'PURCHASE' as event_name;
            """
        )
        status = hour_status_of(connection, NOW)
    assert status.values == {key: {"EUR": 10.5} for key in status.counts}
    assert list(status.counts.items()) == [
        (("delivered", None), 1),
        (("in_doubt", None), 1),
        (("undeliverable", "expired"), 1),
        (("undeliverable", "no_app_id"), 1),
    ]


def test_what_an_earlier_version_delivered_is_not_pending_after_the_upgrade(
    delivery: Delivery, shop: Destination
) -> None:
    pipeline = delivery.project.pipeline
    delivery.make_payloads(3)
    delivery.dispatch(shop)
    folder = (
        delivery.lake.storage.path("") / "delivery_receipts" / f"hour={format_hour(HOUR)}" / f"destination={shop.id}"
    )
    (compacted,) = folder.glob("*.parquet")
    receipts = compacted.rename(compacted.with_name("data.parquet"))  # as it called them
    note = json.loads((folder / FILE).read_text())
    note["made_from"][1] = delivery.lake.storage.fingerprint(delivery.lake.storage.key_of(str(receipts)))
    (folder / FILE).write_text(json.dumps(note))
    assert pipeline.destination_backlog(shop).pending == 0
    assert pipeline.backlog.undelivered_hours(HOUR, NOW) == {}

    receipts.touch()
    assert list(pipeline.backlog.undelivered_hours(HOUR, NOW)) == [HOUR]
