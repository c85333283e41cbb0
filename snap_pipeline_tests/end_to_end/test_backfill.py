"""Backfills: they send the same bodies as hourly runs, in whatever order their runs come."""

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from benchmarks.daemon import run_backfills
from benchmarks.homes import make_payloads
from snap_pipeline.hours import ONE_HOUR, floor_hour, hours_between
from snap_pipeline.orchestration.assets.hourly_step import HOURS_A_RUN
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.identity.histories import HOURS as HOURS_OF_A_HISTORY
from snap_pipeline_tests.identity.histories import as_event, history
from snap_pipeline_tests.processes import run_at_once
from snap_pipeline_tests.project import NOW, Project

DAY, HOURS_A_CHUNK = 20, 4
WEEK = 168


def hours_of(count: int) -> list[datetime]:
    """Return the hours up to the last closed one."""
    last = floor_hour(NOW) - ONE_HOUR
    return list(hours_between(last - (count - 1) * ONE_HOUR, last))


def land(project: Project, hours: Sequence[datetime], histories: int) -> None:
    """Land events of people on shared devices, over all hours; some of them land late."""
    stretch = len(hours) / HOURS_OF_A_HISTORY
    folders: dict[datetime, list[Mapping[str, Any]]] = {}
    for seed in range(histories):
        for moment in history(seed).moments:
            happened = stretch * timedelta(minutes=moment.minute)
            landed = happened + stretch * timedelta(hours=moment.landed - moment.minute // 60)
            hour = hours[landed // ONE_HOUR]
            folders.setdefault(hour, []).append(as_event(moment, hours[0] + happened))
    for hour, events in folders.items():
        project.land(*events, hour=hour)


def make(project: Project, hour: datetime) -> None:
    """Make and deliver one hour, as a run does."""
    pipeline = project.pipeline
    make_payloads(pipeline, hour)
    pipeline.dispatcher().dispatch(pipeline.destinations.get("shop"), hour)


def bodies(project: Project) -> dict[str, str]:
    """Return the sent body of each event, by id."""
    return {event["event_id"]: json.dumps(event["event"]) for event in project.received()}


def deliver_live_and_by(
    backfill: Callable[[Project, Sequence[datetime]], None],
    folder: Path,
    sandbox_url: str,
    hours: Sequence[datetime],
    histories: int,
) -> Project:
    """Make the hours one by one, then by a backfill of an empty home, and compare the sent bodies."""
    live = make_project(folder / "live", sandbox_url)
    live.add_destination()
    land(live, hours, histories)
    for hour in hours:
        make(live, hour)
    expected, accounted = bodies(live), live.entries(hours[0], hours[-1])

    replayed = make_project(folder / "replayed", sandbox_url)
    replayed.add_destination()
    shutil.copytree(live.settings.landing, replayed.settings.landing)
    backfill(replayed, hours)
    assert bodies(replayed) == expected
    assert replayed.entries(hours[0], hours[-1]) == accounted
    return replayed


def sends_nothing_more(project: Project, hours: Sequence[datetime]) -> bool:
    """Tell whether hours that are made again, in random order, send nothing."""
    sent = len(project.requests_seen())
    for hour in random.Random(6).sample(hours, len(hours)):
        make(project, hour)
    return len(project.requests_seen()) == sent and all(event["received"] == 1 for event in project.received())


def take_chunks(home: Path, sandbox_url: str, chunks: Sequence[tuple[datetime, datetime]]) -> None:
    """Run chunks that no other process of the backfill has taken."""
    project = Project(home, sandbox_url)
    for first, last in chunks:
        try:
            (home / f"taken-{first:%d-%H}").touch(exist_ok=False)
        except FileExistsError:
            continue
        assert project.materialize(first, last).success


def run_chunks(project: Project, hours: Sequence[datetime]) -> None:
    """Run a backfill in two processes that take chunks in random order."""
    chunks = list(zip(hours[::HOURS_A_CHUNK], hours[HOURS_A_CHUNK - 1 :: HOURS_A_CHUNK], strict=True))
    shuffled = random.Random(5).sample(chunks, len(chunks))
    run_at_once(take_chunks, 2, project.settings.home, project.sandbox_url, shuffled)


def run_daemon(project: Project, hours: Sequence[datetime]) -> None:
    """Run backfills as the UI starts them, newest days first, with two runs at once."""
    older, newer = hours[: 3 * HOURS_A_RUN], hours[3 * HOURS_A_RUN :]
    done = run_backfills(project.settings, newer, older, at_once=2)
    assert (done.runs, done.failed) == (len(hours) // HOURS_A_RUN, 0)
    assert links_made_first(project) > 0


def links_made_first(project: Project) -> int:
    """Count how often a run made missing links of an hour outside its own range."""
    with dg.DagsterInstance.from_config(str(project.settings.dagster_home)) as instance:
        records = instance.fetch_materializations(dg.AssetKey("filtered_events"), limit=1_000).records
        materializations = [record.asset_materialization for record in records]
        return sum(int(made.metadata["earlier_hours_linked_first"].value) for made in materializations if made)


def test_a_backfill_in_any_order_delivers_what_live_hours_delivered(tmp_path: Path, sandbox_url: str) -> None:
    hours = hours_of(DAY)
    project = deliver_live_and_by(run_chunks, tmp_path, sandbox_url, hours, histories=40)
    made = bodies(project)
    assert len(made) > 500
    assert sum("sc_click_id" in body for body in made.values()) > 100
    assert sends_nothing_more(project, hours[::HOURS_A_CHUNK])


@pytest.mark.week
@pytest.mark.timeout(3_600)
def test_an_asset_backfill_of_a_week_delivers_what_live_hours_delivered(tmp_path: Path, sandbox_url: str) -> None:
    hours = hours_of(WEEK)
    project = deliver_live_and_by(run_daemon, tmp_path, sandbox_url, hours, histories=400)
    made = bodies(project)
    linked = sum("sc_click_id" in body for body in made.values())
    print(f"{WEEK} hours, {len(made):,} conversions, {linked:,} with a click id: the same bodies")
    assert len(made) > 5_000
    assert sends_nothing_more(project, hours)
