"""A regression guard without a clock: the operations to list and read an hour of 1, 100 and 1,000 workspaces."""

import cProfile
import pstats
from datetime import datetime
from pathlib import Path

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.performance.operations import Operations, counted
from snap_pipeline_tests.project import HOUR, Project

WORKSPACES = (1, 100, 1_000)


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Project]:
    """Return a home for each number of workspaces, each with an event in each of two hours."""
    made = {}
    for count in WORKSPACES:
        home = tmp_path_factory.mktemp(f"workspaces{count}")
        names = [f"shop{number:04}" for number in range(count)]
        (home / "workspaces.toml").write_text("".join(f"[{name}]\n" for name in names))
        made[count] = Project(home, "http://127.0.0.1:9")
        for name in names:
            for hour in (HOUR, HOUR + ONE_HOUR):
                made[count].land({"event_id": name, "event_name": "purchase"}, hour=hour, workspace=name)
    return made


def calls_of_listing(project: Project) -> int:
    """Count the functions, of Python and of C, that are called to find the hours of the landing zone."""
    landing = Project(project.settings.home, project.sandbox_url).pipeline.landing
    with cProfile.Profile() as profile:
        assert landing.hours() == {HOUR, HOUR + ONE_HOUR}
        assert landing.unknown_folders() == []
    return int(pstats.Stats(profile).total_calls)


def test_finding_the_hours_takes_as_much_for_each_folder_however_many_workspaces_there_are(
    projects: dict[int, Project],
) -> None:
    one, hundred, thousand = (calls_of_listing(projects[count]) for count in WORKSPACES)
    assert (thousand - hundred) / 900 == pytest.approx((hundred - one) / 99, rel=0.1)


def read(project: Project, monkeypatch: pytest.MonkeyPatch, hour: datetime, bad: int) -> Operations:
    """Count the operations to read an hour, after checking that each event is in its workspace."""
    project = Project(project.settings.home, project.sandbox_url)
    with counted(monkeypatch) as operations:
        made = make_raw_events(project.pipeline.lake, project.pipeline.landing, hour)
    rows = project.rows("raw_events", "select workspace, event_id, source_file from {table}", hour)
    assert [row["workspace"] for row in rows] == sorted(project.pipeline.workspaces)
    assert all(Path(row["source_file"]).parts[0] == row["workspace"] == row["event_id"] for row in rows)
    assert (made.rows, made.quarantined) == (len(rows), bad)
    return operations


def test_an_hour_is_read_in_one_scan_however_many_workspaces_there_are(
    projects: dict[int, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, hundred, thousand = (read(projects[count], monkeypatch, HOUR, 0) for count in WORKSPACES)
    assert one.scans == hundred.scans == thousand.scans
    assert hundred.queries == thousand.queries <= one.queries + 1  # small files are put together first
    # Of each, its folder is listed and its file is read.
    assert (thousand.opened - hundred.opened) / 900 <= 1
    assert (thousand.files - hundred.files) / 900 <= 1


def test_a_bad_line_has_each_file_looked_at_once(projects: dict[int, Project], monkeypatch: pytest.MonkeyPatch) -> None:
    hour, done = HOUR + ONE_HOUR, {}
    for count in (1, 100):
        projects[count].land("broken", hour=hour, workspace="shop0000", name="bad")
        done[count] = read(projects[count], monkeypatch, hour, 1)
    assert (done[100].scans - done[1].scans) / 99 <= 1
    assert (done[100].opened - done[1].opened) / 99 <= 2


def test_a_young_lake_lists_each_workspace_a_few_times_only(
    projects: dict[int, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {}
    for count in (1, 100):
        project = projects[count]
        make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
        with counted(monkeypatch) as operations:
            made = project.pipeline.transformations.make_filtered_events(HOUR)
        assert made.kept + sum(made.excluded.values()) == count
        opened[count] = operations.opened
    assert (opened[100] - opened[1]) / 99 <= 3
