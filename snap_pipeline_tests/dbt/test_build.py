"""What a build needs and leaves behind."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import DBT, PROJECT, query_on, run_dbt, surroundings_of
from snap_pipeline_tests.processes import started


def test_a_build_passes_without_warnings(built: tuple[Path, str]) -> None:
    _, output = built
    assert "WARN=0 ERROR=0 SKIP=0" in output
    assert "deprecat" not in output.lower()


def test_a_build_writes_its_marts_and_nothing_else(built: tuple[Path, str]) -> None:
    lake, _ = built
    assert {path.name for path in lake.iterdir()} - {".spill"} == {*lakes.TABLES, *lakes.MARTS}
    assert all([path.name for path in (lake / mart).iterdir()] == ["data.parquet"] for mart in lakes.MARTS)


@pytest.fixture(scope="module")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that nothing was written to, not even its folder, after one build."""
    lake = tmp_path_factory.mktemp("empty") / "it's new" / "lake"
    build = run_dbt(lake, "build")
    assert build.returncode == 0, build.stdout
    return lake


def test_a_lake_without_files_gives_empty_marts(empty_lake: Path) -> None:
    for mart in lakes.MARTS:
        rows = 1 if mart == "report_week" else 0
        assert query_on(empty_lake)(f"select count(*) from {mart}") == [(rows,)], mart


def test_an_empty_mart_has_the_columns_of_a_full_one(empty_lake: Path, built: tuple[Path, str]) -> None:
    for mart in lakes.MARTS:
        describe = f"select column_name, column_type from (describe from {mart})"
        assert query_on(empty_lake)(describe) == query_on(built[0])(describe)


def test_a_build_leaves_nothing_in_the_repository(tmp_path: Path) -> None:
    # A copy, since runs of other tests write to the project's own target folder meanwhile.
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))

    def files() -> set[Path]:
        return {path for path in project.rglob("*") if "__pycache__" not in path.parts}

    before = files()
    lake = tmp_path / "beside" / "lake"
    assert run_dbt(lake, "run", "--select", "stg_destinations", project=project).returncode == 0
    assert files() == before


def test_a_build_looks_again_where_a_file_cannot_be_read_the_first_time(tmp_path: Path) -> None:
    """As when a run that ends folds receipts away between dbt's list and its read."""
    lake = tmp_path / "lake"
    lakes.write_small_lake(lake)
    (receipts,) = lake.glob("delivery_receipts/*/*/a.parquet")
    receipts.chmod(0)
    # Root may read every file, unless this right is taken.
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    with started(
        [*command, *DBT, "run", "--select", "stg_delivery_receipts"],
        cwd=PROJECT,
        env=os.environ | surroundings_of(lake),
        stdout=subprocess.PIPE,
        text=True,
    ) as build:
        assert build.stdout
        for line in build.stdout:
            if "START sql" in line:
                time.sleep(0.5)  # dbt fails at once, and waits a second
                receipts.chmod(0o644)
    assert build.returncode == 0
