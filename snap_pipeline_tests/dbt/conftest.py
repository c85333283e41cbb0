"""Lakes to build on, and the build itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from snap_pipeline.lake.storage import literal
from snap_pipeline_tests.dbt import lakes

PROJECT = Path(__file__).parents[2] / "dbt_project"
DBT = (str(Path(sys.executable).with_name("dbt")), "--no-use-colors")
NOW = "2026-03-03T00:20:00+00:00"

Query = Callable[[str], list[tuple]]


def surroundings_of(lake: Path) -> dict[str, str]:
    """The variables that lead dbt to a lake."""
    return {
        "SNAP_PIPELINE_LAKE": str(lake),
        "SNAP_PIPELINE_NOW": NOW,
        "DBT_TARGET_PATH": str(lake.with_name("target")),
        "DBT_LOG_PATH": str(lake.with_name("logs")),
    }


def run_dbt(lake: Path, *arguments: str, project: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Runs dbt on a lake, with everything that it writes beside the lake."""
    return subprocess.run(
        [*DBT, *arguments],
        cwd=project,
        env=os.environ | surroundings_of(lake),
        capture_output=True,
        text=True,
        check=False,
    )


def query_on(lake: Path) -> Query:
    """Queries with a view on each mart that the lake has."""

    def query(sql: str) -> list[tuple]:
        with duckdb.connect() as connection:
            for mart in lakes.MARTS:
                file = lake / mart / "data.parquet"
                if file.exists():
                    connection.execute(f"create view {mart} as from {literal(file)}")
            return connection.execute(sql).fetchall()

    return query


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small lake after one build, and what dbt said."""
    lake = tmp_path_factory.mktemp("dbt") / "lake"
    lakes.write_small_lake(lake)
    build = run_dbt(lake, "build")
    assert build.returncode == 0, build.stdout
    return lake, build.stdout


@pytest.fixture(scope="session")
def marts(built: tuple[Path, str]) -> Query:
    """Queries on the marts of the small lake."""
    return query_on(built[0])
