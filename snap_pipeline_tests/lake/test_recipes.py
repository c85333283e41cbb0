"""Hours that were made by another recipe: a setting, a mapping, SQL or Python code has changed since."""

import json
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import recipes
from snap_pipeline.lake.mappings import COLUMNS
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.summaries import WITH_RECIPES
from snap_pipeline.workspaces import Workspace
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.project import HOUR, Project, purchase

FROM_LINKS_ON = {"identity_links", "filtered_events", "conversion_payloads"}
FROM_VERDICTS_ON = {"filtered_events", "conversion_payloads"}
SETTINGS: dict[str, tuple[Any, set[str]]] = {
    "site_url": ("https://shop.example.com/", {"conversion_payloads"}),
    "default_currency": ("EUR", {"conversion_payloads"}),
    "default_calling_code": ("49", FROM_LINKS_ON),
    "unknown_consent": ("exclude", FROM_VERDICTS_ON),
    "unmapped_events": ("exclude", FROM_VERDICTS_ON),
    "identity_window_days": (20, FROM_VERDICTS_ON),
    "click_window_days": (7, FROM_VERDICTS_ON),
    "max_devices_per_person": (20, FROM_VERDICTS_ON),
    "hash_external_id": (True, {"conversion_payloads"}),
    "event_id_property": ("snap_event_id", FROM_LINKS_ON),
}
"""Another value of each setting, and the tables that depend on it."""
DECIDE_CONSENT = {"unknown_consent", "identity_window_days", "max_devices_per_person"}


@pytest.fixture(scope="module")
def made_two(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Project:
    """An hour in which two workspaces have events, made under the default settings."""
    project = make_project(tmp_path_factory.mktemp("two") / "home", sandbox_url)
    set_up(project)
    for workspace in ("blog", "shop"):
        project.land(purchase(workspace, anonymous_id="a", phone="0151 23456789"), workspace=workspace)
    assert project.materialize().success
    assert project.pipeline.outdated_hours.find([HOUR]) == {}
    return project


@pytest.fixture
def two(project: Project, made_two: Project) -> Project:
    """A copy of that hour."""
    return project.copy_home(made_two)


def set_up(project: Project, **shop: Any) -> None:
    settings = "".join(f"{name} = {json.dumps(value)}\n" for name, value in shop.items())
    (project.settings.home / "workspaces.toml").write_text(f"[blog]\n[shop]\n{settings}")
    project.reopen()


def map_events(project: Project, name: str, row: str) -> None:
    columns = ",".join(COLUMNS[name])
    project.settings.mappings.mkdir(parents=True, exist_ok=True)
    (project.settings.mappings / f"{name}.csv").write_text(f"{columns}\n{row}\n")
    project.reopen()


def outdated_tables(project: Project, workspace: str) -> set[str]:
    noted = project.pipeline.summaries.of([HOUR])[HOUR].recipes
    assert set(noted) == set(WITH_RECIPES)
    today = project.pipeline.mappings.recipes
    return {table for table in noted if noted[table][workspace] != today.current(Table(table), workspace).digest}


def rewrite(project: Project, table: str, **notes: str) -> None:
    """Leave an hour's partition with other notes."""
    lake, key = project.pipeline.lake, partition(table, HOUR)
    with lake.connect() as connection:
        lake.storage.commit(connection, key, f"from {lake.storage.scan([key])}", metadata=notes)


@pytest.mark.parametrize("name", sorted(Workspace.model_fields.keys() - {"name"}))
def test_a_setting_makes_the_tables_of_its_workspace_outdated_that_depend_on_it(two: Project, name: str) -> None:
    value, tables = SETTINGS[name]
    set_up(two, **{name: value})
    assert two.pipeline.outdated_hours.find([HOUR - ONE_HOUR, HOUR]) == {HOUR: ["shop"]}
    assert (outdated_tables(two, "shop"), outdated_tables(two, "blog")) == (tables, set())
    held = two.pipeline.outdated_hours.find_outdated_consent([HOUR])
    assert held == ({HOUR: ["shop"]} if name in DECIDE_CONSENT else {})
    assert two.materialize().success
    assert two.pipeline.outdated_hours.find([HOUR]) == {}
    set_up(two)
    assert two.pipeline.outdated_hours.find([HOUR]) == {HOUR: ["shop"]}


@pytest.mark.parametrize(
    ("name", "row", "is_of_consent"),
    [
        ("event_names", "kauf,PURCHASE,", False),
        ("consent_purposes", "reklame,advertising", True),
        ("placeholder_ids", "laufkundschaft", True),
    ],
)
def test_a_mapping_makes_the_hours_of_all_workspaces_outdated(
    two: Project, name: str, row: str, is_of_consent: bool
) -> None:
    map_events(two, name, row)
    assert two.pipeline.outdated_hours.find([HOUR]) == {HOUR: ["blog", "shop"]}
    assert bool(two.pipeline.outdated_hours.find_outdated_consent([HOUR])) is is_of_consent
    assert two.materialize().success
    assert two.pipeline.outdated_hours.find([HOUR]) == {}


def test_rules_in_python_that_changed_make_hours_outdated(two: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    version = two.pipeline.transformations.version("filtered_events")
    monkeypatch.setattr(recipes, "PYTHON_RULES", recipes.PYTHON_RULES + 1)
    recipes.raw_events_recipe.cache_clear()
    assert two.pipeline.outdated_hours.find([HOUR]) == {HOUR: ["blog", "shop"]}
    assert two.pipeline.transformations.version("filtered_events") != version
    monkeypatch.undo()
    recipes.raw_events_recipe.cache_clear()


def test_payloads_that_were_made_again_of_outdated_events_stay_outdated(two: Project) -> None:
    set_up(two, unknown_consent="limited")
    transformations = two.pipeline.transformations
    transformations.make_conversion_payloads(HOUR)
    assert outdated_tables(two, "shop") == FROM_VERDICTS_ON
    assert two.pipeline.outdated_hours.find_outdated_consent([HOUR]) == {HOUR: ["shop"]}
    transformations.make_filtered_events(HOUR)
    assert outdated_tables(two, "shop") == {"conversion_payloads"}
    transformations.make_conversion_payloads(HOUR)
    assert outdated_tables(two, "shop") == set()
    assert two.pipeline.outdated_hours.find_outdated_consent([HOUR]) == {}


def test_raw_events_of_which_older_rules_read_the_consent_pass_it_on(two: Project) -> None:
    raw_events = partition(Table.RAW_EVENTS, HOUR)
    with two.pipeline.lake.connect() as connection:
        notes = two.pipeline.lake.storage.notes(connection, raw_events)
    rewrite(two, "raw_events", **notes | {"consent_recipe": "older"})
    two.pipeline.transformations.make_filtered_events(HOUR)
    two.pipeline.transformations.make_conversion_payloads(HOUR)
    assert two.pipeline.outdated_hours.find_outdated_consent([HOUR]) == {HOUR: ["blog", "shop"]}
    two.materialize()
    assert two.pipeline.outdated_hours.find_outdated_consent([HOUR]) == {}


@pytest.mark.parametrize("table", WITH_RECIPES)
def test_a_partition_of_an_earlier_version_that_notes_one_code_version_is_outdated(two: Project, table: str) -> None:
    rewrite(two, table, code_version="0123456789ab")
    assert two.pipeline.outdated_hours.find([HOUR]) == {HOUR: ["blog", "shop"]}
    held = two.pipeline.outdated_hours.find_outdated_consent([HOUR])
    assert held == ({HOUR: ["blog", "shop"]} if table == "conversion_payloads" else {})


def test_a_workspace_that_is_no_longer_configured_makes_no_hour_outdated(two: Project) -> None:
    (two.settings.home / "workspaces.toml").write_text("[blog]\n")
    two.reopen()
    assert two.pipeline.outdated_hours.find([HOUR]) == {}


def test_the_version_that_dagster_shows_does_not_depend_on_settings(two: Project) -> None:
    before = two.pipeline.transformations.version("filtered_events")
    set_up(two, unknown_consent="limited")
    assert two.pipeline.transformations.version("filtered_events") == before
    map_events(two, "event_names", "kauf,PURCHASE,")
    assert two.pipeline.transformations.version("filtered_events") != before


@pytest.mark.parametrize("change", ["how consent is read", "a rule in Python"])
def test_whatever_decides_whose_events_are_sent_is_in_the_consent_recipe(
    two: Project, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    before = two.pipeline.mappings.recipes.current(Table.CONVERSION_PAYLOADS, "shop").consent
    caches = (recipes.raw_events_recipe, recipes._sql_of, recipes._sql_digest)
    for cache in caches:
        cache.cache_clear()
    if change == "how consent is read":
        sql = recipes.sql
        monkeypatch.setattr(recipes, "sql", lambda name: sql(name) + "-- changed" * (name == "raw_events"))
    else:
        monkeypatch.setattr(recipes, "PYTHON_RULES", recipes.PYTHON_RULES + 1)
    assert two.pipeline.mappings.recipes.current(Table.CONVERSION_PAYLOADS, "shop").consent != before
    for cache in caches:
        cache.cache_clear()
