"""How an hour stands, in numbers."""

import duckdb
import pytest

from snap_pipeline.delivery.standing import standing_of
from snap_pipeline_tests.project import NOW


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_states_are_told_in_one_order_whatever_the_order_of_events(direction: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            create table payload_states as
            select
                'e' || i as event_id,
                ['delivered', 'in_doubt', 'undeliverable', 'undeliverable'][i + 1] as state,
                [null, null, 'expired', 'no_app_id'][i + 1] as reason,
                true as is_deliverable,
                null::timestamp as expires_at,
                null::timestamp as first_sent_at
            from range(4) as numbers (i)
            order by i {direction};
            create table own_receipts as select 'e0' as event_id;
            """
        )
        counts = standing_of(connection, NOW).counts
    assert list(counts.items()) == [
        (("delivered", None), 1),
        (("in_doubt", None), 1),
        (("undeliverable", "expired"), 1),
        (("undeliverable", "no_app_id"), 1),
    ]
