"""`prune`: old events are deleted, needed files stay, and pruned hours are not made again."""

import errno
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import Result

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline_tests.identity.stories import digest
from snap_pipeline_tests.project import HOUR, NOW, Project, key, purchase

Run = Callable[..., Result]
OLD = HOUR - timedelta(days=100)
YOUNG = HOUR - timedelta(days=60)


@pytest.fixture
def shop(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An old hour and a younger one, delivered when they were new."""
    monkeypatch.setenv("SNAP_PIPELINE_START", key(OLD))
    project.reopen(start=key(OLD), fixed_now=OLD + timedelta(hours=1.5))
    for hour in (OLD, YOUNG):
        project.land(
            purchase(f"e-{key(hour)}", at=hour, anonymous_id="a"), '{"event_name": "identify"}', "{ no JSON", hour=hour
        )
        assert project.materialize(hour).success
    project.reopen(fixed_now=NOW)
    return project


@pytest.fixture
def run(shop: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SNAP_PIPELINE_START", key(OLD))
    return run


def files_of(project: Project, hour: datetime) -> set[str]:
    lake = project.pipeline.lake.storage.path("")
    return {file.parent.parent.name for file in lake.glob(f"*/hour={key(hour)}/data.parquet")}


def test_a_dry_run_says_what_would_go_and_deletes_nothing(shop: Project, run: Run) -> None:
    home = sorted(path.relative_to(shop.settings.home) for path in shop.settings.home.rglob("*") if path.is_file())
    said = run("prune", "--dry-run").output
    assert said.startswith(f"1 hour to prune ({key(OLD)} to {key(OLD)}), with 1 landing file;")
    assert "Nothing was deleted" in said
    left = sorted(path.relative_to(shop.settings.home) for path in shop.settings.home.rglob("*") if path.is_file())
    assert left == home
    assert run("prune").output.startswith(f"1 hour pruned ({key(OLD)} to {key(OLD)}), with 1 landing file;")


def test_old_events_go_and_what_is_derived_from_them_stays(shop: Project, run: Run) -> None:
    before, counts = files_of(shop, OLD), shop.counts(OLD, YOUNG)
    said = run("prune")
    assert said.output.startswith(f"1 hour pruned ({key(OLD)} to {key(OLD)}), with 1 landing file;")
    assert files_of(shop, OLD) == before - {"raw_events", "filtered_events"}
    assert not shop.pipeline.landing.folder("default", OLD).exists()
    assert files_of(shop, YOUNG) == before
    assert shop.pipeline.landing.folder("default", YOUNG).exists()
    assert shop.counts(OLD, YOUNG) == counts
    assert unaccounted(shop.entries(OLD, YOUNG)) == []
    assert run("prune").output.startswith("0 hours pruned")


def test_a_pruned_hour_keeps_its_partitions_when_it_is_materialized_again(shop: Project, run: Run) -> None:
    run("prune")
    lake = shop.pipeline.lake
    tables = ("identity_links", "excluded_events", "conversion_payloads", "quarantined_lines")
    before = {table: lake.storage.path(partition(table, OLD)).read_bytes() for table in tables}
    assert shop.materialize(OLD).success
    assert {table: lake.storage.path(partition(table, OLD)).read_bytes() for table in before} == before
    assert "made with other code" not in run("status").output
    assert run("trace", f"e-{key(YOUNG)}").exit_code == 0


def test_a_file_that_lands_in_a_pruned_hour_is_named_and_waits(shop: Project, run: Run) -> None:
    run("prune")
    late = shop.land(purchase("late", at=OLD), hour=OLD, name="late")
    assert OLD not in shop.pipeline.backlog.unread_hours(HOUR)
    assert shop.materialize(OLD).success
    said = run("prune")
    assert "1 older hour not pruned, because of unread files" in said.output
    assert late.exists()


def test_hours_that_are_not_made_to_the_end_are_left_alone(shop: Project, run: Run) -> None:
    shop.land(purchase("unread", at=OLD), hour=OLD, name="unread")
    assert "1 older hour not pruned, because of unread files" in run("prune").output
    assert "raw_events" in files_of(shop, OLD)
    shop.materialize(OLD)
    shutil.rmtree(shop.pipeline.lake.storage.path(partition(Table.CONVERSION_PAYLOADS, OLD)).parent)
    assert run("prune").output.startswith("0 hours pruned")


def test_an_interrupted_pruning_goes_on(shop: Project, run: Run) -> None:
    note = shop.pipeline.lake.storage.path(shop.pipeline.lake.pruned_note(OLD))
    note.write_text('{"default": 2}')
    assert run("prune").output.startswith("1 hour pruned")
    assert "raw_events" not in files_of(shop, OLD)


def test_notes_in_the_lake_are_no_data_to_other_readers(shop: Project, run: Run) -> None:
    """They skip names that begin with `_` or `.` where they read a folder of partitions."""
    assert run("prune").output.startswith("1 hour pruned")
    lake = shop.pipeline.lake.storage.path("")
    files = [path.relative_to(lake) for path in lake.rglob("*") if path.is_file()]
    assert "_pruned.json" in {file.name for file in files}
    read = {file.name for file in files if not any(part.startswith(("_", ".")) for part in file.parts)}
    assert read == {"data.parquet"}


def test_an_hour_that_an_earlier_version_pruned_stays_pruned(shop: Project, run: Run) -> None:
    run("prune")
    lake = shop.pipeline.lake
    note = lake.storage.path(lake.pruned_note(OLD))
    note.rename(note.with_name("pruned.json"))
    assert lake.pruned_hours() == [OLD]
    assert lake.pruned_events(OLD) == {"default": 2}
    assert shop.materialize(OLD).success
    assert run("prune").output.startswith("0 hours pruned")
    assert lake.pruned_hours() == [OLD]


def test_a_file_that_lands_while_its_hour_is_pruned_is_not_deleted(shop: Project, run: Run) -> None:
    shop.pipeline.lake.storage.path(shop.pipeline.lake.pruned_note(OLD)).write_text('{"default": 2}')
    late = shop.land(purchase("late", at=OLD), hour=OLD, name="late")
    said = run("prune")
    assert "1 older hour not pruned, because of unread files" in said.output
    assert [file.name for file in late.parent.iterdir()] == ["late.ndjson"]


def test_an_hour_in_which_one_workspace_has_unread_files_is_left_to_all(shop: Project, run: Run) -> None:
    (shop.settings.home / "workspaces.toml").write_text("[default]\n[outlet]\n")
    shop.reopen()
    unread = shop.land(purchase("unread", at=OLD), hour=OLD, workspace="outlet")
    assert "1 older hour not pruned, because of unread files" in run("prune").output
    assert unread.exists()
    assert shop.pipeline.landing.folder("default", OLD).exists()


def test_a_retention_shorter_than_what_snap_takes_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_RETENTION_DAYS", "37")
    said = run("prune")
    assert said.exit_code == 1
    assert "SNAP_PIPELINE_RETENTION_DAYS" in said.output


def test_a_longer_identity_window_keeps_events_as_long(shop: Project, run: Run) -> None:
    (shop.settings.home / "workspaces.toml").write_text("[default]\nidentity_window_days = 120\n")
    assert run("prune").output.startswith("0 hours pruned")


def test_a_pruned_hour_forgets_a_person_as_well(shop: Project, run: Run) -> None:
    run("prune")
    address = f"e-{key(OLD)}@example.com"
    assert run("forget", "--email", address).exit_code == 0
    assert shop.rows("conversion_payloads", hour=OLD) == []
    assert [row["reason"] for row in shop.rows("excluded_events", hour=OLD)].count("forgotten") == 1
    assert digest(address) not in str(shop.rows("identity_links", hour=OLD))
    assert unaccounted(shop.entries(OLD, YOUNG)) == []


def test_what_is_left_of_a_pruned_hour_keeps_its_recipe_when_a_person_is_forgotten(shop: Project, run: Run) -> None:
    shop.land(purchase("other", at=OLD), hour=OLD, name="more")
    assert shop.materialize(OLD).success
    run("prune")
    assert run("forget", "--email", f"e-{key(OLD)}@example.com").exit_code == 0
    assert [row["event_id"] for row in shop.rows("conversion_payloads", hour=OLD)] == ["other"]
    shop.reopen()
    assert shop.pipeline.outdated_hours.find_outdated_consent([OLD]) == {}


def test_an_hour_of_which_nobody_can_say_whether_it_was_pruned_is_left_as_it_is(
    run: Any, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("prune")
    before, stat = shop.counts(OLD), os.stat

    def broken(path: Any, *rest: Any, **options: Any) -> os.stat_result:
        if str(path).endswith("pruned.json"):
            raise OSError(errno.EIO, "Input/output error")
        return stat(path, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", broken)
        assert not shop.materialize(OLD).success
    assert shop.counts(OLD) == before


def test_a_pruned_hour_whose_customer_ids_are_hashed_forgets_a_person_as_well(project: Project, run: Run) -> None:
    (project.settings.home / "workspaces.toml").write_text("[default]\nhash_external_id = true\n")
    project.reopen(fixed_now=OLD + timedelta(hours=1.5))
    for user in ("Ann-7", "bob-8"):
        project.land(purchase(user, at=OLD, email=None, user_id=user), hour=OLD, name=user)
    assert project.materialize(OLD).success
    project.reopen(fixed_now=NOW)
    run("prune")
    assert run("forget", "--user-id", "Ann-7").exit_code == 0
    left = {row["event_id"]: row["external_id"] for row in project.rows("conversion_payloads", hour=OLD)}
    assert {"bob-8": [digest("bob-8")]}.items() <= left.items()
    assert "Ann-7" not in left
