"""The insights job with real dbt, and its metadata in Dagster."""

import os
import re
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.assets import dbt_marts
from snap_pipeline.orchestration.assets.mart_metadata import MACROS, markdown
from snap_pipeline.orchestration.jobs import HOURLY_JOB, INSIGHTS_JOB
from snap_pipeline.orchestration.runs import range_tags
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.orchestration.checks.test_hour_checks import rewrite_payloads
from snap_pipeline_tests.project import HOUR, Project, key, purchase

EMAIL = "ada.lovelace@example.com"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> tuple[Project, dg.ExecuteInProcessResult]:
    """A project with marts, after two delivered purchases of the last closed hour, one with a click id."""
    project = make_project(tmp_path_factory.mktemp("insights") / "home", sandbox_url)
    closed = project.settings.running_hour - ONE_HOUR
    project.add_destination()
    project.land(
        purchase("a", at=closed, email=EMAIL, click_ids={"ScCid": "click"}),
        purchase("b", at=closed),
        hour=closed,
    )
    project.materialize(closed)
    job = build_definitions(project.settings).resolve_job_def(INSIGHTS_JOB)
    return project, job.execute_in_process(instance=project.instance)


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = [each for each in result.get_asset_materialization_events() if each.asset_key == dg.AssetKey(asset)]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_marts_have_numbers_that_plot(built: tuple[Project, dg.ExecuteInProcessResult]) -> None:
    _, result = built
    scores = metadata_of(result, "report_workspace_scores")
    assert scores["default/click_id"] == 0.5
    assert scores["default/email"] == 1.0
    assert 0 < float(str(scores["default/score"])) < 10
    health = metadata_of(result, "report_latest_health")
    assert health["shop/success_rate"] == 1.0
    assert float(str(health["shop/latency_p95_ms"])) > 0
    assert "shop/lag_p95_seconds" in health
    backlog = metadata_of(result, "report_backlog")
    assert (backlog["shop/pending"], backlog["shop/in_doubt"]) == (0.0, 0.0)
    assert metadata_of(result, "accounting_entries")["pending"] == 0


def test_scores_advice_and_health_are_readable_tables(built: tuple[Project, dg.ExecuteInProcessResult]) -> None:
    _, result = built
    assert "| default | PURCHASE | WEB | 2 |" in str(metadata_of(result, "emq_scores")["table"])
    assert "| default | PURCHASE | WEB | ph | 0 % |" in str(metadata_of(result, "emq_coaching")["table"])
    assert "| 1 | 100 % |" in str(metadata_of(result, "destination_health")["table"])
    day = str(metadata_of(result, "daily_scores")["table"]).splitlines()[-1]
    assert re.fullmatch(r"\| default \| 2026-11-20 \| 2 \| \d\.\d \| 50 % \| 100 % \| 0 % \|", day)
    assert "| shop | 2026-11-20 | 2 | 2 | 0 | 0 |" in str(metadata_of(result, "daily_deliveries")["table"])
    assert "| shop | 2026-11-20 | EUR | 20.00 | 0.00 | 0.00 |" in str(metadata_of(result, "daily_values")["table"])
    scores = metadata_of(result, "report_workspace_scores")
    assert scores["default/score"] == round(float(str(scores["default/score"])), 1)


def test_a_share_is_shown_as_0_or_100_percent_only_where_it_is_that() -> None:
    connection = duckdb.connect()
    connection.execute(MACROS)
    shares = connection.execute("select percent_text(unnest([0, 0.001, 0.555, 0.999, 1, null]))").fetchall()
    assert [text for (text,) in shares] == ["0 %", "1 %", "56 %", "99 %", "100 %", None]


def test_nothing_of_a_person_is_shown(built: tuple[Project, dg.ExecuteInProcessResult]) -> None:
    project, _ = built
    hour = project.settings.running_hour - ONE_HOUR
    (digest,) = project.rows("conversion_payloads", "select em[1] as digest from {table} where event_id = 'a'", hour)
    for record in project.instance.get_run_records():
        events = "".join(map(str, project.instance.all_logs(record.dagster_run.run_id)))
        assert EMAIL not in events
        assert digest["digest"] not in events
        assert "sandbox-token" not in events


def test_the_checks_ran_and_those_that_warn_leave_the_run_green(
    built: tuple[Project, dg.ExecuteInProcessResult],
) -> None:
    _, result = built
    assert result.success
    found = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert found["hours_are_current"]
    assert found["click_id_coverage"]


def test_a_build_leaves_no_files_in_the_dbt_project(built: tuple[Project, dg.ExecuteInProcessResult]) -> None:
    _, result = built
    assert not list(dbt_marts.DBT_PROJECT.glob(f"target/marts-{result.run_id[:7]}-*"))


def test_a_release_with_older_files_has_its_own_manifest(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(dbt_marts.DBT_PROJECT, tmp_path / "dbt_project", ignore=shutil.ignore_patterns("target"))
    monkeypatch.setattr(dbt_marts, "DBT_PROJECT", copy)
    manifest = dbt_marts.current_manifest(project.settings)
    made = manifest.stat().st_mtime_ns
    assert dbt_marts.current_manifest(project.settings).stat().st_mtime_ns == made
    health = copy / "models" / "marts" / "destination_health.yml"
    health.write_text(health.read_text().replace("description:", "description: Of another release.", 1))
    os.utime(health, (0, 0))
    assert dbt_marts.current_manifest(project.settings).stat().st_mtime_ns > made


def test_a_table_keeps_its_cells() -> None:
    assert markdown(["a", "b"], [["x|y", None], ["two\nlines", 1]]) == (
        "| a | b |\n| --- | --- |\n| x\\|y |  |\n| two lines | 1 |"
    )


def test_an_hour_that_a_run_is_making_is_no_fault_and_is_counted_when_it_is_made(project: Project) -> None:
    project.land(purchase("a"), purchase("b"))
    project.land(purchase("c", at=HOUR + ONE_HOUR), hour=HOUR + ONE_HOUR)
    project.materialize(HOUR, HOUR + ONE_HOUR)
    rewrite_payloads(project, "select *", where="event_id = 'a'")
    definitions = build_definitions(project.settings)

    def count() -> tuple[set[str], object]:
        result = definitions.resolve_job_def(INSIGHTS_JOB).execute_in_process(
            instance=project.instance, asset_selection=[dg.AssetKey("accounting_entries"), dg.AssetKey("destinations")]
        )
        path = project.settings.lake / "accounting_entries" / "data.parquet"
        with project.pipeline.lake.connect() as connection:
            hours = {hour for (hour,) in connection.execute(f"select hour from '{path}'").fetchall()}
        return hours, metadata_of(result, "accounting_entries")["hours_under_way"]

    assert count() == ({key(HOUR), key(HOUR + ONE_HOUR)}, 0)
    run = project.instance.create_run_for_job(
        definitions.resolve_job_def(HOURLY_JOB), tags=range_tags(HOUR, HOUR), status=dg.DagsterRunStatus.STARTED
    )
    assert count() == ({key(HOUR + ONE_HOUR)}, 1)
    project.instance.delete_run(run.run_id)
    project.materialize()
    assert count() == ({key(HOUR), key(HOUR + ONE_HOUR)}, 0)
