"""A regression guard without a clock: what an hour, `status` and the sensor do, with so much lake behind them and with
ten times as much."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from benchmarks.history import make_history
from benchmarks.homes import make_payloads
from snap_pipeline.delivery.dispatch import HourReport
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline_tests.performance.operations import Operations, counted
from snap_pipeline_tests.project import HOUR, Project, purchase

FEW, MANY = 60, 600
"""Hours of lake behind the one that is looked at: more than the identity window, and than the 48 in which a copy of an
event may have been sent."""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> dict[int, Path]:
    """Return a home with few hours of history and one with many, all of them delivered."""
    made = {}
    for hours in (FEW, MANY):
        requests.post(f"{sandbox_url}/_sandbox/reset", timeout=30).raise_for_status()
        made[hours] = tmp_path_factory.mktemp(f"history{hours}")
        (made[hours] / "workspaces.toml").write_text("[default]\nidentity_window_days = 2\n")
        make_history(made[hours], hours, sandbox_url, last=format_hour(HOUR - ONE_HOUR), events=20)
        index_answered_ids(project_of(made[hours], sandbox_url), HOUR - ONE_HOUR)
    return made


def index_answered_ids(project: Project, hour: datetime) -> None:
    """Make the index of each earlier day, as the hours of the day after it would have."""
    pipeline = project.pipeline
    (destination,) = pipeline.destinations.list()
    ledger = Ledger(pipeline.lake, hour, destination.id, destination.workspace)
    with pipeline.lake.connect() as connection:
        pipeline.mappings.load_standards(connection)
        pipeline.states().prepare(connection, ledger, destination, hour)


def project_of(home: Path, sandbox_url: str) -> Project:
    project = Project(home, sandbox_url)
    project.reopen(start="2025-11-01T00", threads=1)  # with several threads, DuckDB reads ahead as it likes
    return project


def run_hour(project: Project, name: str) -> HourReport:
    project.land(*(purchase(f"{name}-{number}") for number in range(50)))
    pipeline = project.pipeline
    make_payloads(pipeline, HOUR)
    pipeline.transformations.make_parameter_completeness(HOUR)
    (destination,) = pipeline.destinations.list()
    return pipeline.dispatcher().dispatch(destination, HOUR)


def test_an_hour_does_the_same_whatever_lies_behind_it(
    homes: dict[int, Path], sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[int, Operations] = {}
    for hours, home in homes.items():
        project = project_of(home, sandbox_url)
        with counted(monkeypatch) as done[hours]:
            report = run_hour(project, "event")
        assert (report.count("delivered"), report.stats.requests) == (50, 1)
        with counted(monkeypatch) as again:
            pipeline = project.pipeline
            report = pipeline.dispatcher().dispatch(report.destination, HOUR)
        assert report.stats.requests == 0
        assert (again.queries, again.files) == (0, 0)
    # Copies of its events are looked up in one small file a day, of the days in which they may have landed.
    few, many = done[FEW], done[MANY]
    assert many.files - few.files <= (MANY - FEW) / 24 + 1
    assert replace(many, files=few.files) == few
    assert done[MANY].bytes_read < 3 * done[FEW].bytes_read
    assert done[FEW].queries > 0 < done[FEW].files


def test_status_asks_as_many_questions_of_a_long_range_as_of_a_short_one(
    homes: dict[int, Path], sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[int, Operations] = {}
    for hours, home in homes.items():
        project = project_of(home, sandbox_url)
        accounting, destinations = project.pipeline.accounting, project.pipeline.destinations.list()
        read = accounting.hours(HOUR - hours * ONE_HOUR, HOUR - ONE_HOUR)
        accounting.entries(read, destinations)  # as the checks of these hours' runs would have
        with counted(monkeypatch) as done[hours]:
            entries = accounting.entries(read, destinations)
            assert project.pipeline.outdated_hours.find(read) == {}
        assert sum(entry.events for entry in entries if entry.entry == "delivered") == 20 * hours
    few, many = done[FEW], done[MANY]
    assert many.queries == few.queries
    # Of each hour: the numbers that were counted once, what the destination's last run left, and its receipts' names.
    assert many.files == few.files
    assert (many.opened - few.opened) / (MANY - FEW) <= 3
    assert many.statements == few.statements


def test_the_sensor_asks_as_many_questions_of_a_long_lake_as_of_a_short_one(
    homes: dict[int, Path], sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[int, Operations] = {}
    for hours, home in homes.items():
        project = project_of(home, sandbox_url)
        with counted(monkeypatch) as done[hours]:
            needed = project.pipeline.backlog.find(project.settings.running_hour - ONE_HOUR, datetime.now(UTC))
        assert set(needed) <= {HOUR}
    few, many = done[FEW], done[MANY]
    assert many.queries == few.queries
    assert many.statements == few.statements
    # Of each hour: the listing that was read, the folder as it is now, and what the destination's last run left.
    assert (many.files - few.files) / (MANY - FEW) <= 1
    assert (many.opened - few.opened) / (MANY - FEW) <= 4
