"""The checks over many hours, each passing and failing."""

import dagster as dg
import pytest
from dagster import AssetCheckSeverity

from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.checks.lake_checks import CLICK_ID_COVERAGE, CURRENT_HOURS
from snap_pipeline_tests.dbt.lakes import write_rows
from snap_pipeline_tests.project import Project, key, purchase


def look(project: Project, check: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    """Run one check alone."""
    job = build_definitions(project.settings).resolve_implicit_global_asset_job_def()
    result = job.get_subset(asset_selection=set(), asset_check_selection={check}).execute_in_process(
        instance=project.instance
    )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_hours_are_current_until_one_is_missing(project: Project) -> None:
    closed = project.settings.running_hour - ONE_HOUR
    project.land(purchase("e", at=closed), hour=closed)
    missing = look(project, CURRENT_HOURS)
    assert (missing.passed, missing.severity) == (False, AssetCheckSeverity.WARN)
    assert f"{key(closed)}, the last closed hour, is not materialized." in (missing.description or "")
    project.materialize(closed)
    assert look(project, CURRENT_HOURS).passed


def test_the_hour_that_closed_just_now_is_not_missing_yet(project: Project) -> None:
    closed = project.settings.running_hour - ONE_HOUR
    project.materialize(closed)
    project.reopen(fixed_now=project.settings.running_hour + ONE_HOUR + 0.2 * ONE_HOUR)
    assert look(project, CURRENT_HOURS).passed
    project.reopen(fixed_now=project.settings.running_hour + 0.3 * ONE_HOUR)
    assert not look(project, CURRENT_HOURS).passed


def test_hours_that_an_older_mapping_made_are_not_current(project: Project) -> None:
    closed = project.settings.running_hour - ONE_HOUR
    for hour in (closed - ONE_HOUR, closed):
        project.land(purchase("e", at=hour), hour=hour)
    project.materialize(closed - ONE_HOUR, closed)
    project.settings.mappings.mkdir()
    (project.settings.mappings / "event_names.csv").write_text("source_name,snap_name,workspace\nkauf,PURCHASE,\n")
    project.reopen()
    outdated = look(project, CURRENT_HOURS)
    assert (outdated.passed, outdated.severity) == (False, AssetCheckSeverity.WARN)
    assert f"2 hours from {key(closed - ONE_HOUR)} on were made with other code, mappings or settings" in (
        outdated.description or ""
    )
    assert f"--from {key(closed - ONE_HOUR)} --to {key(closed)}" in (outdated.description or "")
    project.materialize(closed - ONE_HOUR, closed)
    assert look(project, CURRENT_HOURS).passed


def test_hours_that_were_made_under_another_setting_are_not_current(project: Project) -> None:
    closed = project.settings.running_hour - ONE_HOUR
    project.land(purchase("e", at=closed), hour=closed)
    project.materialize(closed)
    (project.settings.home / "workspaces.toml").write_text('[default]\ndefault_currency = "EUR"\n')
    project.reopen()
    outdated = look(project, CURRENT_HOURS)
    assert (outdated.passed, outdated.severity) == (False, AssetCheckSeverity.WARN)
    assert f"1 hour from {key(closed)} on was made with other" in (outdated.description or "")
    assert "(workspaces: default)" in (outdated.description or "")


@pytest.mark.parametrize(
    ("row", "passed"),
    [
        ("'shop', 'PURCHASE', 'WEB', 1000, 1000, 0.45e0, 0.50e0", True),
        ("'shop', 'PURCHASE', 'WEB', 1000, 1000, 0.35e0, 0.50e0", False),
        ("'shop', 'PURCHASE', 'WEB', 1000, 1000, 0.90e0, 0.50e0", True),
        ("'shop', 'PURCHASE', 'WEB', 20, 1000, 0.00e0, 0.50e0", True),
        ("'shop', 'PURCHASE', 'WEB', 1000, 0, 0.00e0, null", True),
        ("'shop', 'PURCHASE', 'OFFLINE', 1000, 1000, 0.00e0, 0.50e0", True),
    ],
    ids=["a little less", "much less", "more", "few events", "none before", "not of the web"],
)
def test_click_ids_that_get_fewer(project: Project, row: str, passed: bool) -> None:
    columns = "workspace, event_name, conversion_type, events, previous_events, click_id, previous_click_id"
    write_rows(project.settings.lake / "emq_scores" / "data.parquet", columns, row)
    found = look(project, CLICK_ID_COVERAGE)
    assert found.passed is passed
    if not passed:
        assert found.severity is AssetCheckSeverity.WARN
        assert "shop PURCHASE: 50% carried a click id in the week before, 35% do now." in (found.description or "")
