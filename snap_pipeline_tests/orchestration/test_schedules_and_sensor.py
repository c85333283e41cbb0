"""The hourly schedule, and the sensor that finds hours with unread files."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import hour_reader
from snap_pipeline.orchestration import jobs, reconcile_sensor
from snap_pipeline.orchestration.runs import range_tags
from snap_pipeline_tests.project import HOUR, NOW, Project, key, purchase


def tick(project: Project, cursor: str | None = None) -> tuple[list[dict[str, str]], str]:
    """Run a tick; return the requested partitions or ranges, and the cursor."""
    definitions = build_definitions(project.settings)
    context = dg.build_sensor_context(instance=project.instance, cursor=cursor, definitions=definitions)
    data = definitions.resolve_sensor_def("reconcile").evaluate_tick(context)
    return [
        request.tags | {"key": request.partition_key or ""} for request in data.run_requests or []
    ], data.cursor or ""


def asked(project: Project) -> list[str]:
    return [tags["key"] for tags in tick(project)[0]]


@pytest.fixture
def on_disk(project: Project, tmp_path: Path) -> Project:
    """The project on a file-based instance, which schedules need."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    project.instance = dg.DagsterInstance.local_temp(str(folder))
    return project


def insights_asked(project: Project, minute: int) -> bool:
    """Tell whether the schedule requests the marts at these minutes past the hour that follows `HOUR`."""
    definitions = build_definitions(project.settings)
    context = dg.build_schedule_context(
        instance=project.instance,
        scheduled_execution_time=HOUR + ONE_HOUR + timedelta(minutes=minute),
        repository_def=definitions.get_repository_def(),
    )
    data = definitions.resolve_schedule_def("insights_schedule").evaluate_tick(context)
    for request in data.run_requests or []:
        project.instance.create_run_for_job(definitions.resolve_job_def(jobs.INSIGHTS_JOB), tags=dict(request.tags))
    return bool(data.run_requests)


def test_the_marts_are_refreshed_once_an_hour_when_its_run_is_over(on_disk: Project) -> None:
    project = on_disk
    job = build_definitions(project.settings).resolve_job_def(jobs.HOURLY_JOB)
    run = project.instance.create_run_for_job(job, tags=range_tags(HOUR, HOUR), status=dg.DagsterRunStatus.STARTED)
    assert not insights_asked(project, 15)
    assert not insights_asked(project, 25)
    project.instance.report_run_canceled(run)
    assert insights_asked(project, 35)
    assert not insights_asked(project, 45)


def test_the_marts_do_not_wait_for_the_hour_for_ever_nor_for_a_backfill(on_disk: Project) -> None:
    project = on_disk
    job = build_definitions(project.settings).resolve_job_def(jobs.HOURLY_JOB)
    backfilled = range_tags(HOUR - 9 * ONE_HOUR, HOUR - ONE_HOUR)
    project.instance.create_run_for_job(job, tags=backfilled, status=dg.DagsterRunStatus.STARTED)
    project.instance.create_run_for_job(job, tags=range_tags(HOUR, HOUR), status=dg.DagsterRunStatus.STARTED)
    assert [minute for minute in (15, 25, 35, 45, 55) if insights_asked(project, minute)] == [55]


@pytest.mark.parametrize(("at", "hour"), [("2026-11-20T13:05", "2026-11-20T12"), ("2026-11-20T00:05", "2026-11-19T23")])
def test_the_schedule_asks_for_the_hour_that_closed(project: Project, at: str, hour: str) -> None:
    definitions = build_definitions(project.settings)
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    context = dg.build_schedule_context(
        scheduled_execution_time=moment, repository_def=definitions.get_repository_def()
    )
    requests = definitions.resolve_schedule_def("hourly_schedule").evaluate_tick(context).run_requests
    assert [(request.partition_key, request.run_key) for request in requests or []] == [(hour, hour)]
    assert [request.tags["snap_pipeline/why"] for request in requests or []] == ["hour closed"]


def test_the_schedule_comes_after_the_hour_in_utc(project: Project) -> None:
    schedule = build_definitions(project.settings).resolve_schedule_def("hourly_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("5 * * * *", "UTC")


def test_an_hour_that_was_read_is_not_asked_for(project: Project) -> None:
    project.land(purchase("e"))
    assert asked(project) == [key(HOUR)]
    project.materialize()
    assert asked(project) == []


def test_a_late_file_is_found(project: Project) -> None:
    project.land(purchase("e"))
    project.materialize()
    project.land(purchase("late"), name="late")
    assert asked(project) == [key(HOUR)]


def test_a_file_that_lands_while_the_hour_is_read_is_found(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.land(purchase("e"))
    write = hour_reader.HourReader.write

    def land_meanwhile(reader: Any) -> hour_reader.RawHour:
        project.land(purchase("meanwhile"), name="meanwhile")
        return write(reader)

    monkeypatch.setattr(hour_reader.HourReader, "write", land_meanwhile)
    project.materialize()
    monkeypatch.undo()
    assert [row["event_id"] for row in project.rows("raw_events")] == ["e"]
    assert asked(project) == [key(HOUR)]
    project.materialize()
    assert len(project.rows("raw_events")) == 2
    assert asked(project) == []


def test_a_file_copied_in_with_an_old_modification_time_is_found(project: Project) -> None:
    project.land(purchase("e"))
    project.materialize()
    late = project.land(purchase("late"), name="late")
    os.utime(late, (0, 0))
    assert asked(project) == [key(HOUR)]


def test_a_file_replaced_by_one_of_the_same_size_is_found(project: Project) -> None:
    project.land(purchase("e"))
    project.materialize()
    project.land(purchase("f"))
    assert asked(project) == [key(HOUR)]


def test_the_running_hour_and_hours_before_the_first_are_left_alone(project: Project) -> None:
    project.land(purchase("e"), hour=project.settings.running_hour)
    project.land(purchase("e"), hour=project.settings.first_hour - ONE_HOUR)
    assert asked(project) == []


def test_contiguous_hours_are_one_run_of_at_most_24_the_newest_first(project: Project) -> None:
    first = HOUR - 29 * ONE_HOUR
    for n in range(30):
        project.land(purchase(f"e{n}"), hour=first + n * ONE_HOUR)
    project.land(purchase("alone"), hour=first - 3 * ONE_HOUR)
    requests, _ = tick(project)
    assert requests[0]["key"] == key(HOUR)
    assert requests[1]["key"] == key(first - 3 * ONE_HOUR)
    assert range_tags(first, first + 23 * ONE_HOUR).items() <= requests[2].items()
    assert range_tags(first + 24 * ONE_HOUR, HOUR - ONE_HOUR).items() <= requests[3].items()
    assert [request.get("dagster/priority") for request in requests] == [None, "-1", "-1", "-1"]


def test_runs_say_their_hours_and_why_they_were_started(project: Project) -> None:
    project.add_destination(live=False)
    hours = [HOUR, HOUR + ONE_HOUR, HOUR + 2 * ONE_HOUR]
    for number, hour in enumerate(hours):
        project.land(purchase(f"e{number}", at=hour), hour=hour)
    project.materialize(hours[0], hours[-1])
    project.pipeline.destinations.resume("shop")
    newest, others = tick(project)[0]
    assert (newest["snap_pipeline/hours"], newest["snap_pipeline/why"]) == (key(hours[2]), "owed to shop")
    assert others["snap_pipeline/hours"] == f"{key(hours[0])} to {key(hours[1])}"
    project.land(purchase("late"), name="late")
    assert "unread files" in {tags["snap_pipeline/why"] for tags in tick(project)[0]}


def test_the_cursor_takes_a_few_bytes_an_hour_and_an_earlier_versions_is_understood(project: Project) -> None:
    for number in range(20):
        project.land(purchase(f"e{number}"), hour=HOUR - number * ONE_HOUR)
    earlier = json.dumps({key(HOUR): {"digest": "0" * 16, "at": NOW.isoformat(), "times": 3}})
    requests, cursor = tick(project, earlier)
    assert requests[0]["key"] == key(HOUR)
    assert len(cursor) < 20 * 50
    assert tick(project, cursor)[0] == []


def test_hours_in_flight_are_not_asked_for_again(project: Project) -> None:
    for n in range(3):
        project.land(purchase(f"e{n}"), hour=HOUR + n * ONE_HOUR)
    job = build_definitions(project.settings).resolve_job_def(jobs.HOURLY_JOB)
    project.instance.create_run_for_job(job, tags=range_tags(HOUR, HOUR + ONE_HOUR), status=dg.DagsterRunStatus.STARTED)
    assert asked(project) == [key(HOUR + 2 * ONE_HOUR)]


def test_an_hour_that_stays_unread_is_asked_for_ever_more_rarely(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.land(purchase("e"))
    cursor, asked_at = None, []
    for minute in range(0, 120):
        monkeypatch.setattr(reconcile_sensor, "wall_clock", lambda minute=minute: NOW + timedelta(minutes=minute))
        requests, cursor = tick(project, cursor)
        asked_at += [minute] * bool(requests)
    assert asked_at == [0, 5, 15, 35, 75]
