"""`make demo` with a fresh home, the real commands and a sandbox of its own; then once more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snap_pipeline.cli.demo import NAME
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings
from snap_pipeline_tests.project import Project


def run_demo(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("snap-pipeline")), "demo", "--days", "1"],
        env=os.environ | {"SNAP_PIPELINE_HOME": str(home), "DAGSTER_HOME": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(300)
def test_the_demo_accounts_for_everything_and_sends_nothing_twice(tmp_path: Path) -> None:
    first = run_demo(tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    for text in (
        "Connection test successful",
        "Every landed line is accounted for.",
        "Match quality",
        "What to do first",
    ):
        assert text in first.stdout
    requests = requests_logged(tmp_path)
    assert requests > 24

    second = run_demo(tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Every landed line is accounted for." in second.stdout
    hour_turned = 10  # an hour that closed between the two runs is new, and has a few batches
    assert requests_logged(tmp_path) - requests <= hour_turned
    assert sent_twice(tmp_path) == 0


def requests_logged(home: Path) -> int:
    return count(home, "delivery_requests", "count(*)")


def sent_twice(home: Path) -> int:
    return count(home, "delivery_receipts", "count(*) - count(distinct event_id)")


def count(home: Path, table: str, expression: str) -> int:
    lake = Pipeline(Settings(home=home)).lake
    with lake.connect() as connection:
        row = connection.execute(
            f"select {expression} from read_parquet('{lake.storage.path('')}/{table}/*/*/*.parquet')"
        ).fetchone()
    return int(row[0]) if row else 0


def test_the_demo_refuses_a_home_with_a_real_destination(project: Project) -> None:
    project.add_destination("real", base_url="https://tr.snapchat.com")
    refused = run_demo(project.settings.home)
    assert refused.returncode == 1
    assert "must not get sample traffic" in refused.stderr
    assert NAME not in [each.name for each in project.pipeline.destinations.list()]
    assert not project.pipeline.landing.hours()
