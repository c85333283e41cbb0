"""Failed hours: the other hours of the run are delivered, and the run fails because of the failed one."""

import gzip
import os
from datetime import datetime

import dagster as dg
import duckdb
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.dispatch import Dispatcher, DispatchOptions, HourReport
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.hour_reader import RawHour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table
from snap_pipeline.lake.transform import PayloadHour, Transformations
from snap_pipeline.orchestration.assets import raw_events
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline.orchestration.runs import range_tags
from snap_pipeline_tests.project import HOUR, Project, key, purchase

HOURS = [HOUR, HOUR + ONE_HOUR, HOUR + 2 * ONE_HOUR]
BAD = HOURS[1]
OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def three_hours(project: Project) -> Project:
    """Three hours of one purchase each, and a destination."""
    project.add_destination()
    for n, hour in enumerate(HOURS):
        project.land(purchase(f"e{n}", at=hour), hour=hour)
    return project


def fail_reading(monkeypatch: pytest.MonkeyPatch, *hours: datetime) -> None:
    def read(lake: Lake, landing: LandingZone, hour: datetime) -> RawHour:
        if hour in hours:
            raise LakeError(f"A file of {key(hour)} cannot be read.")
        return make_raw_events(lake, landing, hour)

    monkeypatch.setattr(raw_events, "make_raw_events", read)


def ids(project: Project, pixel: str | None = None) -> set[str]:
    return {event["event_id"] for event in (project.received(pixel) if pixel else project.received())}


def test_the_other_hours_of_a_run_are_delivered_and_the_run_fails(
    three_hours: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_reading(patch, BAD)
        result = three_hours.materialize(HOURS[0], HOURS[-1])
    assert not result.success
    assert ids(three_hours) == {"e0", "e2"}
    (event,) = result.filter_events(lambda event: event.is_step_failure)
    failure = event.step_failure_data.user_failure_data
    assert event.step_key == "dispatched_batches"
    assert failure and f"{key(BAD)}: A file of {key(BAD)} cannot be read." in str(failure.description)
    assert failure.metadata["hours_at_fault"].value == [key(BAD)]
    assert three_hours.materialize(BAD).success
    assert ids(three_hours) == {"e0", "e1", "e2"}


def test_an_error_of_a_later_step_holds_up_its_hour_alone(
    three_hours: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Transformations.make_conversion_payloads

    def fail(self: Transformations, hour: datetime) -> PayloadHour:
        if hour == BAD:
            raise duckdb.Error("of somebody@example.com")
        return make(self, hour)

    monkeypatch.setattr(Transformations, "make_conversion_payloads", fail)
    result = three_hours.materialize(HOURS[0], HOURS[-1])
    assert not result.success
    assert ids(three_hours) == {"e0", "e2"}
    failures = result.filter_events(lambda event: event.is_step_failure)
    said = "".join(str(event.step_failure_data.user_failure_data) for event in failures)
    assert f"{key(BAD)}: Error. Its message may quote data" in said
    assert "somebody@" not in said


def test_a_run_that_ends_with_an_earlier_step_fails_in_it(
    three_hours: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_reading(monkeypatch, BAD)
    result = (
        build_definitions(three_hours.settings)
        .resolve_job_def(HOURLY_JOB)
        .execute_in_process(
            instance=three_hours.instance,
            tags=range_tags(HOURS[0], HOURS[-1]),
            asset_selection=[dg.AssetKey(table) for table in ("raw_events", "quarantined_lines", "identity_links")],
            raise_on_error=False,
        )
    )
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert failure.step_key == "identity_links"
    assert three_hours.pipeline.lake.storage.hours(Table.IDENTITY_LINKS) == [HOURS[0], HOURS[2]]


def test_a_run_of_which_every_hour_fails_ends_at_once(three_hours: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_reading(monkeypatch, *HOURS)
    result = three_hours.materialize(HOURS[0], HOURS[-1])
    failed = [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)]
    assert failed == ["raw_events"]
    assert three_hours.requests_seen() == []


def test_delivery_that_breaks_off_on_this_side_holds_up_its_hour_and_destination_alone(
    three_hours: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_hours.add_destination("second", pixel_id=OTHER_PIXEL)
    whole = Dispatcher.dispatch

    def broken(self: Dispatcher, destination: Destination, hour: datetime, options: DispatchOptions) -> HourReport:
        if hour == BAD and destination.name == "shop":
            raise LakeError("The disk is full.")
        return whole(self, destination, hour, options)

    monkeypatch.setattr(Dispatcher, "dispatch", broken)
    result = three_hours.materialize(HOURS[0], HOURS[-1])
    assert not result.success
    assert ids(three_hours) == {"e0", "e2"}
    assert ids(three_hours, OTHER_PIXEL) == {"e0", "e1", "e2"}


def test_odd_files_hold_up_neither_their_hour_nor_those_that_need_its_links(three_hours: Project) -> None:
    odd = {
        b"filled.ndjson.gz": gzip.compress(b"{}\n") + bytes(512),
        b"appended.ndjson.gz": gzip.compress(b"{}\n") + b"more",
        b"none.ndjson.zst": b"not compressed",
        b"caf\xe9.ndjson": b"{}\n",
        b"nul.ndjson": b'{"event_id": "\0"}\n',
    }
    for name, content in odd.items():
        three_hours.land_bytes(content, os.fsdecode(name), hour=HOURS[0])
    assert three_hours.materialize(HOURS[-1]).success, "before the hour of the odd files has been made"
    assert three_hours.materialize(HOURS[0]).success
    assert ids(three_hours) == {"e0", "e2"}
