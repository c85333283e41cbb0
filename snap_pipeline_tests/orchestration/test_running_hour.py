"""The running hour: purchases reach Snap within minutes, at a cost that does not grow with the number of runs."""

import re
from collections import Counter
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.lake import Lake
from snap_pipeline_tests.net import Net
from snap_pipeline_tests.project import PIXEL_ID, Project, ids, key, purchase

TICKS = 8


@pytest.fixture
def net(project: Project, monkeypatch: pytest.MonkeyPatch) -> Net:
    project.reopen(running_hour_minutes=5)
    project.add_destination()
    return Net(project, monkeypatch)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts of DuckDB's queries, by their first word."""
    counted: Counter[str] = Counter()

    class Counting:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def execute(self, query: str, *values: Any) -> Any:
            counted[query.split(maxsplit=1)[0]] += 1
            return self._connection.execute(query, *values)

        def cursor(self) -> "Counting":
            return Counting(self._connection.cursor())

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    opened = Lake._open
    monkeypatch.setattr(Lake, "_open", lambda lake: Counting(opened(lake)))
    return counted


def land(project: Project, name: str) -> None:
    """Land two purchases of the running hour, in a file of their own."""
    hour = project.settings.running_hour
    project.land(purchase(f"{name}-1", at=hour), purchase(f"{name}-2", at=hour), hour=hour, name=name)


def files(project: Project) -> list[str]:
    """List the running hour's files in the lake, without the numbers in the names of compacted files."""
    hour = f"hour={key(project.settings.running_hour)}"
    return sorted(
        re.sub("data-[0-9a-f]{16}", "data", path.relative_to(project.settings.lake).as_posix())
        for path in project.settings.lake.rglob("*")
        if path.is_file() and hour in path.parts
    )


def test_each_event_is_sent_once_and_the_tenth_run_costs_what_the_second_did(
    net: Net, project: Project, queries: Counter[str]
) -> None:
    hour = project.settings.running_hour
    left, asked = [], []
    for n in range(TICKS):
        land(project, f"file{n}")
        queries.clear()
        assert net.tick() == [(key(hour), True)]
        left.append(files(project))
        asked.append(dict(queries))
        net.later(minutes=5)
    assert left[1:] == left[:1] * (TICKS - 1)
    assert asked[2:] == asked[1:2] * (TICKS - 2)
    requests = project.requests_seen()
    assert len(requests) == TICKS
    assert [request["events"] for request in requests] == [2] * TICKS
    assert ids(project.received(PIXEL_ID)) == sorted(f"file{n}-{i}" for n in range(TICKS) for i in (1, 2))


def test_nothing_is_made_again_while_no_file_lands(net: Net, project: Project) -> None:
    land(project, "first")
    assert net.tick()
    runs = project.instance.get_runs_count()
    for _ in range(3):
        net.later(minutes=5)
        assert net.tick() == []
    assert project.instance.get_runs_count() == runs


def test_files_that_land_every_minute_are_waited_for(net: Net, project: Project) -> None:
    asked_at = []
    for minute in range(11):
        land(project, f"file{minute}")
        asked_at += [minute] * bool(net.tick())
        net.later(minutes=1)
    assert asked_at == [0, 5, 10]


def test_a_closed_hour_goes_first(net: Net, project: Project) -> None:
    closed = project.settings.running_hour - ONE_HOUR
    project.land(purchase("closed", at=closed), hour=closed)
    land(project, "running")
    assert [requested for requested, _ in net.tick()] == [key(closed), key(project.settings.running_hour)]


def test_what_snap_did_not_take_in_the_running_hour_is_asked_for_again(net: Net, project: Project) -> None:
    land(project, "first")
    project.set_fault(status=401)
    net.tick()
    project.clear_faults()
    project.pipeline.destinations.resume("shop")
    net.later(minutes=5)
    assert net.tick() == [(key(project.settings.running_hour), False)]
    assert len(project.received()) == 2


def test_it_is_off_unless_it_is_set(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    land(project, "first")
    assert Net(project, monkeypatch).tick() == []
