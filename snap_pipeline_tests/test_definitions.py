"""The code location, as Dagster and `dg` load it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
from dagster._core.definitions.metadata.metadata_set import TableMetadataSet

from snap_pipeline.definitions import build_definitions
from snap_pipeline.lake.column_descriptions import COLUMNS
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.orchestration.source_code import REFERENCES
from snap_pipeline_tests.project import START, Project, purchase

HOURLY = {
    "raw_events",
    "quarantined_lines",
    "identity_links",
    "filtered_events",
    "excluded_events",
    "conversion_payloads",
    "dispatched_batches",
    "delivery_receipts",
    "delivery_requests",
    "parameter_completeness",
}
MARTS = {"emq_scores", "emq_coaching", "destination_health", "accounting", "report_scores", "report_deliveries"}
ROOT = Path(__file__).parents[1]


def dg_command(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("dg")), *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "SNAP_PIPELINE_HOME": str(project.settings.home),
            "SNAP_PIPELINE_START": START,
            "DAGSTER_HOME": "",
            "VIRTUAL_ENV": sys.prefix,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_asset_says_what_it_is_and_whose(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert keys >= HOURLY | MARTS | {"accounting_entries"}
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.kinds, key
        assert node.owners, key


def test_the_hourly_assets_share_partitions_and_take_a_range_in_one_run(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    nodes = [graph.get(dg.AssetKey(name)) for name in HOURLY]
    assert len({node.partitions_def for node in nodes}) == 1
    assert {node.backfill_policy for node in nodes} == {dg.BackfillPolicy.multi_run(24)}


def test_the_marts_read_the_hourly_assets_in_one_graph(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    ancestors = {key.to_user_string() for mart in MARTS for key in graph.get_ancestor_asset_keys(dg.AssetKey(mart))}
    assert ancestors >= {
        "parameter_completeness",
        "delivery_receipts",
        "delivery_requests",
        "accounting_entries",
    }


def test_the_hourly_assets_and_the_marts_have_a_freshness_policy(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    keys = [dg.AssetKey(name) for name in HOURLY | MARTS | {"accounting_entries", "destinations"}]
    assert [key for key in keys if graph.get(key).freshness_policy is None] == []


def test_every_table_describes_its_columns_before_or_when_it_is_made(project: Project) -> None:
    project.add_destination()
    project.land(purchase("e"))
    graph = build_definitions(project.settings).resolve_asset_graph()
    metadata = [(key, graph.get(key).metadata) for key in graph.materializable_asset_keys]
    events = project.materialize().get_asset_materialization_events()
    metadata += [(event.asset_key, event.materialization.metadata) for event in events if event.asset_key]
    columns = {
        (key.to_user_string(), column.name): column.description
        for key, entries in metadata
        if (schema := TableMetadataSet.extract(entries).column_schema)
        for column in schema.columns
    }
    assert {table for table, _ in columns} >= HOURLY | MARTS
    assert [column for column, description in columns.items() if not description] == []
    hourly = {name for table, name in columns if table in HOURLY}
    assert COLUMNS.keys() - hourly == set(), "described, and in no table"


def test_every_asset_links_to_the_files_that_make_it(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    files = {
        key.path[-1]: [Path(each.file_path) for each in graph.get(key).metadata[REFERENCES].code_references]
        for key in graph.materializable_asset_keys
    }
    assert [asset for asset, linked in files.items() if not linked or not all(file.is_file() for file in linked)] == []
    names = {asset: {file.name for file in linked} for asset, linked in files.items()}
    assert names["raw_events"] == {"raw_events.sql", "raw_events.py"}
    assert names["emq_scores"] == {"emq_scores.sql", "dbt_marts.py"}
    assert names["event_names"] == {"event_names.csv", "dbt_marts.py"}


def test_the_checks_and_what_runs_by_itself(project: Project) -> None:
    definitions = build_definitions(project.settings)
    keys = definitions.resolve_asset_graph().asset_check_keys
    assert {f"{key.asset_key.to_user_string()}: {key.name}" for key in keys} >= {
        "conversion_payloads: no_plaintext",
        "accounting_entries: hours_are_current",
        "dispatched_batches: conservation",
        "delivery_receipts: rejected_share",
        "delivery_receipts: withdrawn_receipts",
        "emq_scores: click_id_coverage",
    }
    repository = definitions.get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {"alerts", "reconcile"}
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "hourly_schedule",
        "insights_schedule",
        "prune_schedule",
    }
    automation = [*repository.sensor_defs, *repository.schedule_defs]
    assert all(each.description for each in automation)
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}


def test_every_check_says_what_it_requires_under_a_name_to_read(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    checks = {key.name: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    assert [name for name, description in checks.items() if not description] == []
    assert [name for name in checks if "__" in name] == [], "dbt's own name: give the test one"
    assert checks["accounting_unaccounted_payloads_is_0"] == "Every conversion is in one of the delivery states."
    assert checks["daily_scores_has_no_duplicates"] == "No two rows have the same workspace, day."
    assert checks["emq_parameters_completeness_is_from_0_to_1"] == "completeness is from 0 to 1."


def test_dg_checks_and_lists_the_definitions_without_warnings(project: Project) -> None:
    checked = dg_command(project, "check", "defs")
    assert checked.returncode == 0, checked.stderr
    assert "Warning" not in checked.stdout + checked.stderr
    listed = dg_command(project, "list", "defs", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {asset["asset_key"] for asset in json.loads(listed.stdout)["assets"]} >= HOURLY | MARTS


def test_dg_launches_an_hour(project: Project) -> None:
    launched = dg_command(project, "launch", "--assets", "raw_events", "--partition", project.settings.start or "")
    assert launched.returncode == 0, launched.stderr
    assert project.pipeline.lake.storage.path(partition(Table.RAW_EVENTS, project.settings.first_hour)).exists()


def test_every_resource_says_what_it_is_in_one_paragraph(project: Project) -> None:
    resources = build_definitions(project.settings).get_repository_def().get_top_level_resources()
    assert resources.keys() == {"pipeline", "snap", "dbt"}
    for name, resource in resources.items():
        assert resource.description, name
        assert "\n" not in resource.description, f"{name}: Markdown takes an indented docstring for code"
