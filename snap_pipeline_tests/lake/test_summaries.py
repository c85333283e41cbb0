"""Summaries of hours, which are counted again when their partitions change."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.summaries import FILE, Summaries
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.project import HOUR, Project, purchase


@pytest.fixture(scope="module")
def made_hour(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Project:
    """One hour that was made and counted."""
    project = make_project(tmp_path_factory.mktemp("hour") / "home", sandbox_url)
    project.land(purchase("a"), purchase("b"), {"event_id": "c", "event_name": "identify"})
    project.materialize()
    assert (project.counts()["raw"], project.counts()["payloads"], project.counts()["excluded"]) == (3, 2, 1)
    return project


@pytest.fixture
def counted(project: Project, made_hour: Project) -> Project:
    """A copy of that hour."""
    return project.copy_home(made_hour)


def summary_of(project: Project) -> Path:
    return project.pipeline.lake.storage.path(partition(Table.RAW_EVENTS, HOUR)).with_name(FILE)


def test_the_checks_of_a_run_leave_the_numbers_of_its_hour(project: Project) -> None:
    project.land(purchase("a"))
    project.materialize()
    assert summary_of(project).exists()


def test_an_hour_that_was_counted_is_counted_from_what_was_kept(
    counted: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Summaries(counted.pipeline.lake).of([HOUR])
    monkeypatch.setattr(Summaries, "_count", None)
    assert Summaries(counted.pipeline.lake).of([HOUR]) == kept
    assert len(kept[HOUR].recipes) == 3


@pytest.mark.parametrize("table", ["raw_events", "quarantined_lines", "excluded_events", "conversion_payloads"])
def test_a_table_that_was_made_again_is_counted_again(counted: Project, table: str) -> None:
    lake, path = counted.pipeline.lake, counted.pipeline.lake.storage.path(partition(table, HOUR))
    before = {count for count in Summaries(lake).of([HOUR])[HOUR].counts if count.table != table}
    with lake.connect() as connection:
        lake.storage.commit(connection, path, "select 'other' as workspace, 'a reason' as reason from range(7)")
    after = set(Summaries(lake).of([HOUR])[HOUR].counts)
    (other,) = after - before
    assert (other.table, other.workspace, other.rows) == (table, "other", 7)
    assert before <= after


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("")])
def test_numbers_that_are_gone_or_half_written_are_counted_again(
    counted: Project, spoil: Callable[[Path], object]
) -> None:
    before = counted.entries()
    spoil(summary_of(counted))
    counted.reopen()
    assert counted.entries() == before
    assert summary_of(counted).stat().st_size > 0


def test_who_may_only_read_the_lake_is_told_the_numbers_all_the_same(
    counted: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counted.entries()
    summary_of(counted).unlink()
    counted.reopen()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert counted.entries() == before
    assert not summary_of(counted).exists()


def test_numbers_of_an_older_version_that_names_no_files_are_counted_again(counted: Project) -> None:
    counted.entries()
    summary = summary_of(counted)
    content = json.loads(summary.read_text())
    summary.write_text(json.dumps({name: content[name] for name in ("made_from", "counts")}))
    counted.reopen()
    assert not counted.pipeline.backlog.unread_hours(HOUR)
    assert json.loads(summary.read_text()) == content


def test_an_hour_that_was_never_made_is_empty_and_leaves_nothing(counted: Project) -> None:
    never = HOUR - timedelta(hours=1)
    assert Summaries(counted.pipeline.lake).of([never])[never].counts == ()
    assert not counted.pipeline.lake.storage.path(partition(Table.RAW_EVENTS, never)).parent.exists()
