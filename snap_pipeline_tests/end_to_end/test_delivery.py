"""The whole way from landing files to the events that Snap holds, through Dagster, over real HTTP."""

import shutil
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.lake.upload import Upload
from snap_pipeline_tests.project import HOUR, PIXEL_ID, SNAP_APP_ID, Project, ids, key, purchase

SDK_EVENTS = Path(__file__).parents[1] / "data" / "segment_sdk_events.ndjson"
SDK_HOURS = (parse_hour("2026-11-20T10"), parse_hour("2026-11-20T13"))


def land_sdk_events(project: Project) -> None:
    upload = Upload(
        project.pipeline.lake,
        project.pipeline.landing,
        workspace="default",
        origin=None,
        hour=None,
        first_hour=project.settings.first_hour,
        running_hour=project.settings.running_hour,
    )
    assert upload.land(SDK_EVENTS).lines == 502


def test_events_of_real_client_libraries_arrive_under_the_right_names(project: Project) -> None:
    project.add_destination()
    land_sdk_events(project)
    assert project.materialize(*SDK_HOURS).success
    counts = project.counts(*SDK_HOURS)
    assert (counts["raw"], counts["excluded: internal"], counts["payloads"]) == (502, 60, 442)
    assert counts["delivered"] == 442
    received = project.received(PIXEL_ID) + project.received(SNAP_APP_ID)
    assert Counter(event["event_name"] for event in received) == {
        "PURCHASE": 80,
        "PAGE_VIEW": 66,
        "LIST_VIEW": 60,
        "VIEW_CONTENT": 60,
        "ADD_CART": 45,
        "START_CHECKOUT": 40,
        "ADD_BILLING": 40,
        "SEARCH": 30,
        "SIGN_UP": 10,
        "ADD_TO_WISHLIST": 7,
        "SIZE_GUIDE_OPENED": 4,
    }
    assert Counter(event["action_source"] for event in received) == {"WEB": 436, "MOBILE_APP": 6}
    assert all(event["received"] == 1 for event in received)


def test_hours_materialized_twice_send_what_landed_once(project: Project) -> None:
    project.add_destination()
    hours = [HOUR + n * ONE_HOUR for n in range(3)]
    for n, hour in enumerate(hours):
        project.land(*(purchase(f"{n}-{i}", at=hour) for i in range(20)), hour=hour)
    selection = dg.AssetSelection.groups("events", "conversions", "delivery")
    definitions = build_definitions(project.settings)
    assets = list(definitions.assets or [])
    for _ in range(2):
        for hour in hours:
            result = dg.materialize(
                assets,
                selection=selection,
                partition_key=key(hour),
                instance=project.instance,
                resources=definitions.resources,
            )
            assert result.success
    received = project.received()
    assert ids(received) == sorted(f"{n}-{i}" for n in range(3) for i in range(20))
    assert all(event["received"] == 1 for event in received)
    assert not unaccounted(project.entries(hours[0], hours[-1]))


def test_a_late_file_sends_only_what_is_new(project: Project) -> None:
    project.add_destination()
    project.land(purchase("early"))
    project.materialize()
    project.land(purchase("late"), name="late")
    project.materialize()
    assert [event["received"] for event in project.received()] == [1, 1]
    assert len(project.requests_seen()) == 2


def test_an_hour_whose_files_are_deleted_keeps_its_history(project: Project) -> None:
    project.add_destination()
    file = project.land(purchase("e"))
    project.materialize()
    shutil.rmtree(file.parent)
    assert project.materialize().success
    assert project.counts()["delivered"] == 1
    assert len(project.requests_seen()) == 1


def test_a_refused_token_fails_the_run_with_the_remedy_and_everything_stays_pending(project: Project) -> None:
    project.add_destination()
    project.set_fault(status=401)
    project.land(*(purchase(f"e{i}") for i in range(10)))
    result = project.materialize()
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "regenerate the Conversions API token" in str(failure.step_failure_data.user_failure_data.description)
    assert project.counts()["pending"] == 10
    assert len(project.requests_seen()) == 1
    assert [row["event_id"] for row in project.rows("conversion_payloads")]


def test_one_destination_in_trouble_does_not_hold_up_the_other(project: Project) -> None:
    project.add_destination("broken", base_url="http://127.0.0.1:9")
    project.add_destination("working", pixel_id=SNAP_APP_ID)
    project.land(purchase("e"))
    assert not project.materialize().success
    assert ids(project.received(SNAP_APP_ID)) == ["e"]


@pytest.mark.parametrize("state", ["paused", "since"])
def test_what_is_not_owed_is_not_sent(project: Project, state: str) -> None:
    if state == "paused":
        project.add_destination(live=False)
    else:
        project.add_destination(since=key(HOUR + ONE_HOUR))
    project.land(purchase("e"))
    assert project.materialize().success
    assert project.requests_seen() == []


def test_with_no_destination_the_hour_succeeds(project: Project) -> None:
    project.land(purchase("e"))
    assert project.materialize().success


def test_custom_names_app_events_and_rare_currencies_go_in_batches_of_their_own(project: Project) -> None:
    project.add_destination()
    rare = {"properties": {"value": 1, "currency": "XCD"}}
    app = {"type": "screen", "context": {"os": {"name": "iOS", "version": "18"}}}
    project.land(
        purchase("standard"),
        purchase("custom", event_name="Size Guide"),
        purchase("rare") | rare,
        purchase("app") | app,
    )
    assert project.materialize().success
    assert [request["events"] for request in project.requests_seen()] == [1, 1, 1, 1]
    assert ids(project.received(SNAP_APP_ID)) == ["app"]


def test_what_snap_is_known_to_refuse_is_counted_and_not_sent(project: Project) -> None:
    project.add_destination(snap_app_id=None)
    nobody = {"email": None}
    project.land(
        purchase("expired", event_timestamp="2026-11-13T20:00:00Z"),
        purchase("nobody") | nobody,
        purchase("valueless", properties={}),
        purchase("app", channel="mobile"),
        purchase("fine"),
    )
    assert project.materialize().success
    counts = project.counts()
    reasons = {label: n for label, n in counts.items() if label.startswith("undeliverable:")}
    assert reasons == {
        "undeliverable: expired": 1,
        "undeliverable: insufficient_identifiers": 1,
        "undeliverable: purchase_without_value": 1,
        "undeliverable: no_app_id": 1,
    }
    assert ids(project.received()) == ["fine"]
    assert not unaccounted(project.entries())
