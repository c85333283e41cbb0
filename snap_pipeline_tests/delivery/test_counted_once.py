"""Events that are sent again from a distance are counted once: over hours, days, versions, removals and lost files."""

from datetime import UTC, datetime, timedelta

import pytest

from snap_pipeline.delivery import dispatch
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.project import HOUR, SNAP_APP_ID, START, Project, ids, purchase


def test_a_delivered_file_that_lands_again_four_days_later(project: Project) -> None:
    project.add_destination()
    event = purchase("a", at=HOUR - timedelta(days=4))
    project.land(event, hour=HOUR - timedelta(days=4))
    project.materialize(HOUR - timedelta(days=4))
    project.land(event, purchase("new"), hour=HOUR)
    project.materialize()
    assert project.counts()["duplicate"] == 1
    assert {each["event_id"]: each["received"] for each in project.received()} == {"a": 1, "new": 1}


def test_the_same_event_in_two_hours_the_later_one_delivered_first(project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), hour=HOUR)
    project.land(purchase("a"), hour=HOUR + ONE_HOUR)
    project.materialize(HOUR + ONE_HOUR)
    project.materialize(HOUR)
    assert project.counts(HOUR, HOUR)["duplicate"] == 1
    assert project.counts(HOUR + ONE_HOUR)["delivered"] == 1
    assert [each["received"] for each in project.received()] == [1]


def test_a_batch_whose_answers_all_were_lost_goes_again_within_48_hours_and_counts_once(
    delivery: Delivery, shop: Destination
) -> None:
    sent = delivery.make_payloads(10)
    delivery.project.set_fault(drop_after_storing=True)
    assert delivery.dispatch(shop).count("in_doubt") == 10
    delivery.project.clear_faults()
    assert delivery.dispatch(shop).count("delivered") == 10
    assert ids(delivery.project.received()) == sorted(sent)


def pass_hours(delivery: Delivery, monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    """Move the dispatch engine's wall clock ahead."""
    pipeline = delivery.project.pipeline
    monkeypatch.setattr(
        pipeline,
        "dispatcher",
        lambda: dispatch.Dispatcher(
            lake=delivery.lake,
            summaries=pipeline.summaries,
            mappings=pipeline.mappings,
            database=pipeline.database,
            open_session=pipeline.session,
            now=delivery.project.settings.now(),
            wall_clock=lambda: datetime.now(UTC) + timedelta(hours=hours),
        ),
    )


def lose_answers(delivery: Delivery, shop: Destination, **options: bool) -> None:
    """Dispatch an hour of which Snap stores the events and all answers get lost."""
    delivery.project.set_fault(drop_after_storing=True)
    delivery.dispatch(shop, **options)
    delivery.project.clear_faults()


def reported(delivery: Delivery, shop: Destination) -> dict[str, int]:
    """Count the events by state, as `status` does."""
    entries = delivery.project.pipeline.accounting.entries([HOUR], [shop])
    return {each.entry: each.events for each in entries if each.destination}


def test_after_48_hours_it_waits_for_the_flag(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(10)
    lose_answers(delivery, shop)
    before = delivery.event_requests
    pass_hours(delivery, monkeypatch, 48.1)
    assert delivery.dispatch(shop).count("in_doubt") == 10
    assert delivery.event_requests == before
    assert delivery.dispatch(shop, resend_in_doubt=True).count("delivered") == 10


def test_a_copy_in_another_hour_of_what_is_in_doubt_waits_as_well(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(10)
    lose_answers(delivery, shop)
    delivery.make_payloads(11, HOUR + ONE_HOUR)
    pass_hours(delivery, monkeypatch, 48.1)
    report = delivery.dispatch(shop, HOUR + ONE_HOUR)
    assert (report.count("in_doubt"), report.count("delivered")) == (10, 1)
    assert {each["event_id"]: each["received"] for each in delivery.project.received()}["e10"] == 1


def test_what_is_in_doubt_is_a_duplicate_once_its_copy_in_another_hour_is_delivered(
    delivery: Delivery, shop: Destination
) -> None:
    delivery.make_payloads(10)
    lose_answers(delivery, shop)
    delivery.make_payloads(10, HOUR + ONE_HOUR)
    assert delivery.dispatch(shop, HOUR + ONE_HOUR).count("delivered") == 10
    assert reported(delivery, shop) == {"duplicate": 10}
    report = delivery.dispatch(shop)
    assert report.is_complete
    assert report.count("duplicate") == 10


def test_an_answer_lost_to_a_retry_of_what_was_rejected_leaves_it_in_doubt(
    delivery: Delivery, shop: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.make_payloads(3)
    delivery.project.set_fault(refuse_event_ids=["e1"])
    assert delivery.dispatch(shop).count("rejected") == 1
    delivery.project.clear_faults()
    lose_answers(delivery, shop, retry_rejected=True)
    assert reported(delivery, shop) == {"delivered": 2, "in_doubt": 1}
    before = delivery.event_requests
    pass_hours(delivery, monkeypatch, 48.1)
    report = delivery.dispatch(shop, retry_rejected=True)
    assert (report.count("in_doubt"), report.count("rejected")) == (1, 0)
    assert delivery.event_requests == before
    assert delivery.dispatch(shop, resend_in_doubt=True).count("delivered") == 3


def test_remove_and_add_again_sends_nothing_again(project: Project) -> None:
    first = project.add_destination()
    project.land(purchase("a"))
    project.materialize()
    project.pipeline.destinations.remove("shop")
    assert project.add_destination("renamed").id == first.id
    project.materialize()
    assert project.counts()["delivered"] == 1
    assert len(project.requests_seen()) == 1


def test_switching_from_v2_to_v3_sends_nothing_again(project: Project) -> None:
    project.add_destination(api_version="v2")
    project.land(purchase("a"))
    project.materialize()
    project.pipeline.destinations.set("shop", api_version="v3", snap_app_id=SNAP_APP_ID, since=START)
    project.land(purchase("b"), name="more")
    project.materialize()
    assert {each["event_id"]: each["received"] for each in project.received()} == {"a": 1, "b": 1}
    assert project.counts()["delivered"] == 2


def test_an_hour_made_again_after_its_landing_files_were_deleted(project: Project) -> None:
    project.add_destination()
    landed = project.land(purchase("a"))
    project.materialize()
    before = project.counts()
    landed.unlink()
    project.materialize()
    assert project.counts() == before
    assert len(project.requests_seen()) == 1
    assert len(project.rows("dispatched_batches")) == 1


def test_an_event_corrected_in_a_late_file_of_the_same_hour_is_not_sent_again(project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.materialize()
    project.land(purchase("a", email="other@example.com"), name="another")
    project.materialize()
    assert project.counts()["excluded: duplicate_id"] == 1
    assert [each["received"] for each in project.received()] == [1]


def test_events_of_one_order_that_bear_its_id_are_all_sent(project: Project) -> None:
    """The running hour is delivered while it fills: what came first must not pass for what comes later."""
    project.add_destination()
    names = ["checkout_started", "purchase", "custom thing"]
    for name in names:
        project.land(purchase("o-1") | {"event_name": name}, name=name)
        assert project.materialize().success
    assert project.materialize().success
    received = [(event["event"]["event_name"], event["received"]) for event in project.received()]
    assert sorted(received) == [("CUSTOM_THING", 1), ("PURCHASE", 1), ("START_CHECKOUT", 1)]
    assert project.counts()["delivered"] == 3


def test_events_of_one_id_that_go_out_together_each_have_a_receipt(project: Project) -> None:
    project.add_destination()
    project.land(purchase("o-1"), purchase("o-1") | {"event_name": "custom thing"})
    assert project.materialize().success
    assert project.counts()["delivered"] == 2
    assert project.materialize().success
    assert [event["received"] for event in project.received()] == [1, 1]
