"""An hour that another run reads again while its steps run: each table derives from one reading."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.retention import prune
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.pipeline import Pipeline
from snap_pipeline_tests.project import HOUR, Project, ids, purchase

DENIED = {"consent": {"ad_storage": "denied"}}
Landing = Callable[[Project], object]


def read(project: Project) -> None:
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)


def make_until_filtered(project: Project) -> None:
    read(project)
    project.pipeline.transformations.make_identity_links(HOUR)
    project.pipeline.transformations.make_filtered_events(HOUR)


def make_all(project: Project) -> None:
    make_until_filtered(project)
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    project.pipeline.transformations.make_parameter_completeness(HOUR)


def meanwhile(project: Project, monkeypatch: pytest.MonkeyPatch, table: str, action: Callable[[], None]) -> None:
    """Run an action, as another run would, at the moment when this run first writes a table."""
    lake = project.pipeline.lake
    commit, actions = lake.storage.commit, [action]

    def acted(connection: Any, key: str, query: str, **notes: Any) -> int:
        if key.startswith(f"{table}/") and actions:
            actions.pop()()
        return commit(connection, key, query, **notes)

    monkeypatch.setattr(lake.storage, "commit", acted)


@pytest.mark.parametrize(
    ("landing", "kept"),
    [
        (lambda project: project.land(purchase("a"), purchase("b", **DENIED), purchase("c")), ["a", "c"]),
        (lambda project: project.land(purchase("d", **DENIED), purchase("e"), name="late"), ["a", "b", "c", "e"]),
        (lambda project: project.land(purchase("b")), ["b"]),
    ],
    ids=["as many lines", "more lines", "fewer lines"],
)
def test_verdicts_are_on_the_events_that_they_are_about(
    project: Project, monkeypatch: pytest.MonkeyPatch, landing: Landing, kept: list[str]
) -> None:
    project.land(purchase("a"), purchase("b"), purchase("c"))
    make_all(project)
    other = Project(project.settings.home, project.sandbox_url)

    def land_and_make() -> None:
        landing(project)
        make_all(other)

    meanwhile(project, monkeypatch, "excluded_events", land_and_make)
    project.pipeline.transformations.make_filtered_events(HOUR)
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    assert ids(project.rows("conversion_payloads")) == kept
    assert unaccounted(project.entries()) == []
    assert not project.pipeline.backlog.unread_hours(HOUR)


def test_what_a_run_read_that_failed_then_is_taken_along(project: Project) -> None:
    """Its raw events are older than the other run's payloads, which would hide them from the backlog."""
    project.land(purchase("a", email=None, anonymous_id="browser", context={"ip": "198.51.100.7"}), name="a")
    make_until_filtered(project)
    project.land(purchase("b", anonymous_id="browser"), name="b")
    read(Project(project.settings.home, project.sandbox_url))
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    assert ids(project.rows("conversion_payloads")) == ["a", "b"]
    assert len(project.rows("identity_links")) == 1
    assert unaccounted(project.entries()) == []
    assert not project.pipeline.backlog.unread_hours(HOUR)


@pytest.mark.parametrize("later", [-ONE_HOUR, timedelta(0), ONE_HOUR])
def test_times_of_files_do_not_tell_of_which_reading_the_payloads_are(project: Project, later: timedelta) -> None:
    """A copy of the lake, or an object store, may keep whole seconds alone, or the time of the copy."""

    def set_times() -> None:
        for table, seconds in (("raw_events", 1e9), ("conversion_payloads", 1e9 + later.total_seconds())):
            os.utime(project.pipeline.lake.storage.path(partition(table, HOUR)), (seconds, seconds))

    project.land(purchase("a"))
    make_all(project)
    set_times()
    assert not Pipeline(project.settings).backlog.unread_hours(HOUR)
    project.land(purchase("a"), purchase("b"))
    read(project)
    set_times()
    assert list(Pipeline(project.settings).backlog.unread_hours(HOUR)) == [HOUR]
    make_all(project)
    assert not Pipeline(project.settings).backlog.unread_hours(HOUR)


def test_partitions_of_an_earlier_version_are_judged_by_their_times(project: Project) -> None:
    project.land(purchase("a"))
    make_all(project)
    lake = project.pipeline.lake
    for table in ("raw_events", "conversion_payloads"):
        with lake.connect() as connection:
            notes = lake.storage.notes(connection, partition(table, HOUR))
            del notes["reading"]
            path = lake.storage.path(partition(table, HOUR))
            lake.storage.commit(
                connection, path, f"from read_parquet('{path}', hive_partitioning = false)", metadata=notes
            )
    assert not Pipeline(project.settings).backlog.unread_hours(HOUR)
    os.utime(lake.storage.path(partition(Table.CONVERSION_PAYLOADS, HOUR)), (1e9, 1e9))
    assert list(Pipeline(project.settings).backlog.unread_hours(HOUR)) == [HOUR]


def test_links_are_of_the_reading_that_is_filtered(project: Project) -> None:
    project.land(purchase("a", anonymous_id="browser"), name="a")
    read(project)
    project.pipeline.transformations.make_identity_links(HOUR)
    project.land(purchase("b", anonymous_id="browser", at=HOUR - ONE_HOUR, **DENIED), name="b")
    read(Project(project.settings.home, project.sandbox_url))
    project.pipeline.transformations.make_filtered_events(HOUR)
    assert {row["event_id"]: row["reason"] for row in project.rows("excluded_events")} == {
        "a": "consent_denied",
        "b": "consent_denied",
    }


def test_an_hour_that_was_not_made_of_its_last_reading_is_not_pruned(project: Project) -> None:
    project.land(purchase("a"), name="a")
    make_all(project)
    project.land(purchase("b"), name="b")
    read(project)
    pipeline = Pipeline(project.settings)
    assert prune(pipeline.lake, pipeline.landing, HOUR + ONE_HOUR).left == [HOUR]
    make_all(project)
    assert prune(pipeline.lake, pipeline.landing, HOUR + ONE_HOUR).hours == [HOUR]
