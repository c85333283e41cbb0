"""Output of `snap-pipeline insights`, from the marts."""

import shutil
from pathlib import Path

import duckdb
import pytest

from snap_pipeline.cli.insights import print_insights
from snap_pipeline.lake.lake import Lake
from snap_pipeline_tests.dbt import lakes


def test_it_prints_the_ranking_of_the_report_with_names(
    built: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    print_insights(Lake(built[0], memory_limit="500MB", threads=1))
    said = capsys.readouterr().out
    assert "1. shop: Product ids (web), +2.5: on 0 % of PURCHASE, target 95 %. Pass products" in said
    assert not any(f"{key} (" in said for key in ("sc_click_id", "content_ids"))


def test_a_home_without_conversions_says_what_to_do(
    built: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in lakes.REPORT_MODELS:
        shutil.copytree(built[0] / name, tmp_path / name)
        file = tmp_path / name / "data.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"create table mart as from '{file}'")
            connection.execute(f"copy (from mart where false) to '{file}' (format parquet)")
    print_insights(Lake(tmp_path, memory_limit="500MB", threads=1))
    said = capsys.readouterr().out
    assert "There were no conversions in the last seven days" in said
    assert "snap-pipeline land" in said
    assert "Match quality" not in said
