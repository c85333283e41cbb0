"""Row counts and addresses in Dagster's metadata: of what is stored, and of files that open."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.project import PIXEL_ID, Project, purchase

DELIVERY = ("dispatched_batches", "delivery_receipts", "delivery_requests")
Stored = Mapping[str, Mapping[str, Any]]


def stored(result: dg.ExecuteInProcessResult) -> Stored:
    """Return the metadata of each table's partition."""
    events = result.get_asset_materialization_events()
    return {
        each.asset_key.path[-1]: {name: value.value for name, value in each.materialization.metadata.items()}
        for each in events
        if each.asset_key
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> tuple[Stored, Stored]:
    """Two runs of one hour for two destinations: the first sends its two events, the second nothing."""
    project = make_project(tmp_path_factory.mktemp("stored") / "home", sandbox_url)
    project.add_destination()
    project.add_destination("other", pixel_id=PIXEL_ID.replace("1", "2"))
    project.land(purchase("a"), purchase("b"))
    return stored(project.materialize()), stored(project.materialize())


def test_delivery_tables_count_what_is_stored_whatever_this_run_sent(runs: tuple[Stored, Stored]) -> None:
    for run in runs:
        assert [run[table]["dagster/partition_row_count"] for table in DELIVERY] == [2, 4, 2]


def test_every_address_opens(runs: tuple[Stored, Stored]) -> None:
    for table, metadata in runs[1].items():
        path = Path(metadata["dagster/uri"])
        pattern = path / "**/*.parquet" if path.is_dir() else path
        rows = duckdb.execute(f"select count(*) from read_parquet('{pattern}')").fetchone()
        assert (table, rows) == (table, (metadata["dagster/partition_row_count"],))


def test_an_hour_without_deliveries_has_no_address_of_them(project: Project) -> None:
    project.land(purchase("a"))
    metadata = stored(project.materialize())
    for table in DELIVERY:
        assert metadata[table]["dagster/partition_row_count"] == 0
        assert "dagster/uri" not in metadata[table]
    assert Path(metadata["raw_events"]["dagster/uri"]).is_file()


def test_marts_have_the_names_by_which_sql_opens_them(project: Project) -> None:
    graph = build_definitions(project.settings).resolve_asset_graph()
    names = {
        key.path[-1]: graph.get(key).metadata.get("dagster/table_name")
        for key in graph.get_all_asset_keys()
        if graph.get(key).group_name in ("insights", "report", "staging", "mappings")
    }
    assert (names["emq_scores"], names["report_health"]) == ("emq_scores", "report_health")
    assert not any("memory" in name for name in names.values() if name)
