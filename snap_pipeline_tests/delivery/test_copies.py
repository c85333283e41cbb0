"""Copies of an event in other hours, near and far: sent once, counted once, and found without reading a month."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from snap_pipeline.delivery import copies
from snap_pipeline.delivery.compaction import is_compacted
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake import storage
from snap_pipeline.lake.storage import Storage
from snap_pipeline.state.tables import LEASES
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.project import HOUR, NOW, ids

APART = [timedelta(hours=60), timedelta(hours=72), timedelta(days=20), timedelta(days=36)]
EARLY = HOUR - timedelta(days=3)


def states(delivery: Delivery, shop: Destination, *hours: datetime) -> dict[str, int]:
    """Count the events of the hours by state, as `status` does."""
    entries = delivery.project.pipeline.accounting.entries(hours, [shop])
    counts: dict[str, int] = {}
    for each in entries:
        if each.destination:
            counts[each.entry] = counts.get(each.entry, 0) + each.events
    return counts


def received(delivery: Delivery) -> dict[str, int]:
    """Return how often the sandbox got each event."""
    return {each["event_id"]: each["received"] for each in delivery.project.received()}


def receipts_folder(delivery: Delivery, shop: Destination, hour: datetime) -> Path:
    return delivery.lake.storage.path("") / "delivery_receipts" / f"hour={format_hour(hour)}" / f"destination={shop.id}"


def indexes(delivery: Delivery, shop: Destination) -> list[str]:
    return sorted(
        path.name for path in (delivery.lake.storage.path("") / copies.INDEX_TABLE / f"destination={shop.id}").iterdir()
    )


@pytest.mark.parametrize("apart", APART, ids=str)
def test_a_copy_in_a_far_hour_is_sent_once(delivery: Delivery, shop: Destination, apart: timedelta) -> None:
    later = HOUR - 4 * ONE_HOUR
    for keeps_its_time in (True, False):
        for is_later_first in (True, False):
            later, prefix = later + ONE_HOUR, f"{keeps_its_time}-{is_later_first}-"
            earlier = later - apart
            delivery.make_payloads(3, earlier, prefix, offline=True)
            delivery.make_payloads(4, later, prefix, offline=True, at=earlier if keeps_its_time else None)
            hours = (later, earlier) if is_later_first else (earlier, later)
            reports = [delivery.dispatch(shop, hour) for hour in hours]
            assert sum(report.count("delivered") for report in reports) == 4
            assert reports[1].count("duplicate") == 3
    assert len(received(delivery)) == 16
    assert set(received(delivery).values()) == {1}


def test_a_copy_in_an_hour_that_began_after_the_run_is_seen(delivery: Delivery, shop: Destination) -> None:
    """A run of many hours keeps the clock that it began with, while the sensor asks for the hour that fills."""
    for begin in (NOW + ONE_HOUR, NOW + 5 * ONE_HOUR):
        later, prefix = begin.replace(minute=0), begin.isoformat()
        for hour in (later, HOUR):
            delivery.make_payloads(3, hour, prefix, at=HOUR)
            report = delivery.dispatch(shop, hour)
        assert report.count("duplicate") == 3


def test_hours_that_sent_the_same_events_at_the_same_moment_count_them_once(
    delivery: Delivery, shop: Destination
) -> None:
    hours = [EARLY, HOUR]
    for hour in hours:
        delivery.make_payloads(5, hour)
    delivery.project.set_fault(delay_seconds=1.5)
    runs = [threading.Thread(target=delivery.dispatch, args=(shop, hour)) for hour in hours]
    runs[0].start()
    while not delivery.event_requests:
        time.sleep(0.01)
    runs[1].start()
    for run in runs:
        run.join()
    assert set(received(delivery).values()) == {2}  # which Snap counts as one
    assert states(delivery, shop, *hours) == {"delivered": 5, "duplicate": 5}


@pytest.mark.parametrize("first", [EARLY, HOUR], ids=["earlier hour", "later hour"])
def test_of_hours_that_both_delivered_an_event_the_one_that_sent_it_first_counts(
    delivery: Delivery, shop: Destination, first: datetime
) -> None:
    second = HOUR if first == EARLY else EARLY
    for hour in (first, second):
        delivery.make_payloads(5, hour)
    delivery.dispatch(shop, first)
    there = receipts_folder(delivery, shop, first)
    away = there.rename(delivery.lake.storage.path("") / "away")
    assert delivery.dispatch(shop, second).count("delivered") == 5
    away.rename(there)
    for hour in (first, second):
        receipts_folder(delivery, shop, hour).joinpath("_standing.json").unlink()
    assert states(delivery, shop, first) == {"delivered": 5}
    assert states(delivery, shop, second) == {"duplicate": 5}


def test_an_hour_tells_the_other_one_that_its_later_answers_do_not_count(delivery: Delivery, shop: Destination) -> None:
    """Both sent the same events, and the one that sent them last was through first."""
    for hour in (EARLY, HOUR):
        delivery.make_payloads(5, hour)
    delivery.dispatch(shop, EARLY)
    there = receipts_folder(delivery, shop, EARLY)
    away = there.rename(delivery.lake.storage.path("") / "away")
    delivery.dispatch(shop, HOUR)
    assert states(delivery, shop, HOUR) == {"delivered": 5}
    there.mkdir()
    for receipts in away.glob("*.parquet"):
        receipts.rename(there / receipts.name)
    delivery.make_payloads(6, EARLY)
    assert delivery.dispatch(shop, EARLY).count("delivered") == 6
    assert states(delivery, shop, HOUR) == {"duplicate": 5}


def test_an_intent_from_days_before_is_seen(delivery: Delivery, shop: Destination) -> None:
    delivery.make_payloads(3, EARLY)
    delivery.project.set_fault(drop_after_storing=True)
    assert delivery.dispatch(shop, EARLY).count("in_doubt") == 3
    delivery.project.clear_faults()
    delivery.make_payloads(3, HOUR)
    assert states(delivery, shop, HOUR) == {"in_doubt": 3}


def test_equal_digests_of_different_ids_lose_nothing(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "DIGEST", "(ord(event_id) % 2)::ubigint")
    delivery.make_payloads(3, EARLY)
    delivery.dispatch(shop, EARLY)
    delivery.make_payloads(4)
    assert delivery.dispatch(shop).count("delivered") == 1
    assert received(delivery) == {"e0": 1, "e1": 1, "e2": 1, "e3": 1}


def test_a_purchase_under_the_id_of_its_checkout_is_no_copy_of_it(delivery: Delivery, shop: Destination) -> None:
    """Sites that know an order's id from its first step on send all steps under it, and Snap counts each name."""
    for hour, name in ((EARLY, "START_CHECKOUT"), (HOUR - ONE_HOUR, "ADD_BILLING"), (HOUR, "PURCHASE")):
        delivery.make_payloads(3, hour, name=name)
        assert delivery.dispatch(shop, hour).count("delivered") == 3
    delivery.make_payloads(4, HOUR + ONE_HOUR, name="PURCHASE")
    assert delivery.dispatch(shop, HOUR + ONE_HOUR).count("duplicate") == 3


class TestIndexes:
    def test_one_a_day_is_made_once(self, delivery: Delivery, shop: Destination) -> None:
        for hour in (EARLY, EARLY + ONE_HOUR, EARLY + timedelta(days=1), HOUR - ONE_HOUR):
            delivery.make_payloads(2, hour, prefix=format_hour(hour))
            delivery.dispatch(shop, hour)
        delivery.make_payloads(2)
        delivery.dispatch(shop)
        days = [name[:10] for name in indexes(delivery, shop)]
        assert days == ["2026-11-17", "2026-11-18"]  # and not that of the hour itself
        before = indexes(delivery, shop)
        delivery.make_payloads(2, HOUR + ONE_HOUR)
        delivery.dispatch(shop, HOUR + ONE_HOUR)
        assert indexes(delivery, shop) == before

    def test_one_that_is_out_of_date_is_made_again(self, delivery: Delivery, shop: Destination) -> None:
        delivery.make_payloads(2, EARLY)
        delivery.dispatch(shop, EARLY)
        delivery.make_payloads(2)
        delivery.dispatch(shop)
        (before,) = indexes(delivery, shop)
        delivery.make_payloads(4, EARLY)  # late files
        delivery.dispatch(shop, EARLY)
        delivery.make_payloads(5)
        assert delivery.dispatch(shop).count("duplicate") == 4
        assert len(indexes(delivery, shop)) == 1
        assert indexes(delivery, shop) != [before]
        assert set(received(delivery).values()) == {1}

    def test_one_of_receipts_that_an_older_program_wrote_over_is_made_again(
        self, delivery: Delivery, shop: Destination
    ) -> None:
        """An upgrade was taken back for a while: the older program compacts into `data.parquet` again and again."""
        for prefix in ("on time", "late"):
            delivery.make_payloads(3, EARLY, prefix)
            delivery.dispatch(shop, EARLY)
            (compacted,) = receipts_folder(delivery, shop, EARLY).glob("*.parquet")
            compacted.rename(compacted.with_name("data.parquet"))
            delivery.make_payloads(4, HOUR, prefix)
            assert delivery.dispatch(shop).count("duplicate") == 3

    def test_without_them_the_receipts_themselves_are_read(
        self, delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery.make_payloads(3, EARLY)
        delivery.dispatch(shop, EARLY)
        commit = Storage.commit

        def disk_full(storage: Storage, connection: Any, key: str, query: str, **options: Any) -> int:
            if str(key).startswith(copies.INDEX_TABLE):
                raise OSError(28, "No space left on device")
            return commit(storage, connection, key, query, **options)

        monkeypatch.setattr(Storage, "commit", disk_full)
        delivery.make_payloads(4)
        assert delivery.dispatch(shop).count("duplicate") == 3
        assert not (delivery.lake.storage.path("") / copies.INDEX_TABLE).exists()

    def test_a_day_in_which_a_run_was_killed_is_read_itself(self, delivery: Delivery, shop: Destination) -> None:
        delivery.make_payloads(3, EARLY)
        delivery.dispatch(shop, EARLY)
        (compacted,) = receipts_folder(delivery, shop, EARLY).glob("*.parquet")
        batch = compacted.rename(compacted.with_name("0a1b2c3d-0-delivered.parquet"))
        assert is_compacted(compacted.name)
        assert not is_compacted(batch.name)
        delivery.make_payloads(4)
        assert delivery.dispatch(shop).count("duplicate") == 3
        assert not (delivery.lake.storage.path("") / copies.INDEX_TABLE).exists()


def test_a_paused_process_that_lost_its_lease_takes_no_receipts_from_the_one_that_took_over(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(10)
    atomic_write, taken_over = storage.atomic_write, threading.Event()

    @contextmanager
    def pause(path: Path, draft: Path, **options: Any) -> Iterator[Path]:
        """Let another process take over between reading the small files and publishing the compacted one."""
        with atomic_write(path, draft, **options):
            yield draft
            if path.name.startswith("data-") and "delivery_receipts" in path.parts and not taken_over.is_set():
                taken_over.set()
                with delivery.project.pipeline.database.transaction() as connection:
                    connection.execute(sa.delete(LEASES))
                delivery.make_payloads(20)
                assert delivery.dispatch(shop).count("delivered") == 20

    monkeypatch.setattr(storage, "atomic_write", pause)
    with suppress(LakeError):  # its snapshot of the payloads went with the other one's
        delivery.dispatch(shop)
    assert taken_over.is_set()
    before = delivery.event_requests
    assert delivery.dispatch(shop).count("delivered") == 20
    assert delivery.event_requests == before
    assert sorted(event_id for (event_id,) in delivery.rows("delivery_receipts", "event_id")) == sorted(
        f"e{number}" for number in range(20)
    )
    assert ids(delivery.project.received()) == sorted(f"e{number}" for number in range(20))
    assert set(received(delivery).values()) == {1}
