"""A backfill delivers what the hours would have delivered in their time, in whatever order its runs come."""

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.identity.histories import as_event, history
from snap_pipeline_tests.processes import run_at_once
from snap_pipeline_tests.project import HOUR, Project

HOURS = [HOUR - 19 * ONE_HOUR + number * ONE_HOUR for number in range(20)]
HOURS_A_CHUNK = 4
PEOPLE_AND_DEVICES = 40


def land(project: Project) -> None:
    """A day of people on shared devices, some of whose events land four or eight hours late."""
    folders: dict[datetime, list[Mapping[str, Any]]] = {}
    for seed in range(PEOPLE_AND_DEVICES):
        for moment in history(seed).moments:
            happened = HOURS[0] + timedelta(minutes=4 * moment.minute)
            late = 4 * (moment.landed - moment.minute // 60)
            folders.setdefault(HOURS[moment.minute // 15 + late], []).append(as_event(moment, happened))
    for hour, events in folders.items():
        project.land(*events, hour=hour)


def make(project: Project, hour: datetime) -> None:
    """What a run of one hour does."""
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, hour)
    pipeline.transformations.make_identity_links(hour)
    pipeline.transformations.make_filtered_events(hour)
    pipeline.transformations.make_conversion_payloads(hour)
    pipeline.dispatcher().dispatch(pipeline.destinations.get("shop"), hour)


def take_chunks(home: Path, sandbox_url: str, chunks: Sequence[tuple[datetime, datetime]]) -> None:
    """One process of a backfill: runs the chunks that nobody has taken."""
    project = Project(home, sandbox_url)
    for first, last in chunks:
        try:
            (home / f"taken-{first:%d-%H}").touch(exist_ok=False)
        except FileExistsError:
            continue
        assert project.materialize(first, last).success


def bodies(project: Project) -> dict[str, Any]:
    """What was sent of each event, by its id."""
    return {event["event_id"]: event["event"] for event in project.received()}


def test_a_backfill_in_any_order_delivers_what_live_hours_delivered(tmp_path: Path, sandbox_url: str) -> None:
    live = make_project(tmp_path / "live", sandbox_url)
    live.add_destination()
    land(live)
    for hour in HOURS:
        make(live, hour)
    expected = bodies(live)

    replayed = make_project(tmp_path / "replayed", sandbox_url)
    replayed.add_destination()
    shutil.copytree(live.settings.landing, replayed.settings.landing)
    chunks = [(HOURS[first], HOURS[first + HOURS_A_CHUNK - 1]) for first in range(0, len(HOURS), HOURS_A_CHUNK)]
    run_at_once(take_chunks, 2, replayed.settings.home, sandbox_url, random.Random(5).sample(chunks, len(chunks)))
    made = bodies(replayed)
    assert len(made) > 500
    assert sum("sc_click_id" in body.get("user_data", {}) for body in made.values()) > 100
    assert {name: json.dumps(body) for name, body in made.items()} == {
        name: json.dumps(body) for name, body in expected.items()
    }

    sent = len(replayed.requests_seen())
    for hour in random.Random(6).sample(HOURS, 4):
        make(replayed, hour)
    assert len(replayed.requests_seen()) == sent
    assert all(event["received"] == 1 for event in replayed.received())
