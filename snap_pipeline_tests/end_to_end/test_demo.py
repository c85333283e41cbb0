"""`make demo` in a fresh folder with the real commands, what a newcomer does next, and the demo once more."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from snap_pipeline.cli.stand_in import NAME
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.sandbox.server import SandboxServer
from snap_pipeline.settings import Settings
from snap_pipeline_tests.project import PIXEL_ID, TOKEN, Project
from snap_pipeline_tests.test_docs import FENCE, ROOT
from snap_pipeline_tests.web_server import BIN, end_process_tree, free_port

pytestmark = pytest.mark.timeout(1200)
CLEAN = {name: value for name, value in os.environ.items() if name not in ("DAGSTER_HOME", "SNAP_PIPELINE_HOME")}
DEMO_HOURS = 24


def run_demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "snap-pipeline"), "demo", "--days", "1"],
        cwd=folder,
        env=CLEAN | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which a newcomer ran the demo, like a checkout; and what the demo printed."""
    folder = tmp_path_factory.mktemp("newcomer")
    (folder / ".venv").symlink_to(BIN.parent)
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())  # by which `dg` knows a project
    done = run_demo(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not look like a long-lived one" not in done.stderr
    return folder, done.stdout


def settings_of(newcomer: tuple[Path, str]) -> Settings:
    # Other tests may have set the clock for the sandboxes that follow; the demo runs on the real one.
    return Settings(home=newcomer[0] / "data", SNAP_PIPELINE_NOW=None)


def test_the_demo_accounts_for_everything(newcomer: tuple[Path, str]) -> None:
    for text in (
        "Connection test successful",
        "Every landed line is accounted for.",
        "Match quality",
        "What to do first",
    ):
        assert text in newcomer[1]
    assert count(newcomer, "delivery_requests", "count(*)") > DEMO_HOURS


def test_every_closed_hour_of_the_demos_home_is_filled(newcomer: tuple[Path, str]) -> None:
    settings = settings_of(newcomer)
    closed = (settings.running_hour - settings.first_hour).total_seconds() / 3600
    assert DEMO_HOURS <= closed <= DEMO_HOURS + 1  # the hour may have turned since
    assert count(newcomer, "raw_events", "count(distinct hour)", files="*/*.parquet") == DEMO_HOURS


def test_the_demo_leaves_its_destination_paused(newcomer: tuple[Path, str]) -> None:
    (destination,) = Pipeline(settings_of(newcomer)).destinations.list()
    assert (destination.name, destination.state) == (NAME, "paused")
    assert "paused until `snap-pipeline dev`" in newcomer[1]


def test_a_second_demo_sends_nothing_twice(newcomer: tuple[Path, str]) -> None:
    """It runs before the walk, whose own destination would owe an hour that closes between the two."""
    sent = count(newcomer, "delivery_requests", "count(*)")
    second = run_demo(newcomer[0])
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Every landed line is accounted for." in second.stdout
    hour_turned = 10  # an hour that closed between the two runs is new, and has a few batches
    assert count(newcomer, "delivery_requests", "count(*)") - sent <= hour_turned
    assert count(newcomer, "delivery_receipts", "count(*) - count(distinct (destination, event_id))") == 0


@contextmanager
def dev(folder: Path) -> Iterator[str]:
    """Run `make dev`, and yield the address of its stand-in."""
    process = subprocess.Popen(
        [str(BIN / "snap-pipeline"), "dev", "--port", str(free_port())],
        cwd=folder,
        env=CLEAN | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        yield process.stdout.readline().decode().split()[-1].removesuffix(".")
    finally:
        end_process_tree(process)


def follow(script: str, folder: Path) -> str:
    """Run the commands of one block, one after the other, as a user with the token at hand."""
    done = subprocess.run(
        ["bash", "-c", f"set -e -o pipefail; source .venv/bin/activate\n{script}"],
        cwd=folder,
        env=CLEAN,
        input=TOKEN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Error" not in done.stderr, f"{script}\n{done.stderr}"
    return done.stdout


def test_readme_and_first_destination_lead_on_without_a_red_step(
    newcomer: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNAP_PIPELINE_NOW", raising=False)  # other tests may have set it for the sandboxes that follow
    folder, _ = newcomer
    readme, page = ((ROOT / name).read_text() for name in ("README.md", "docs/first-destination.md"))
    assert "](docs/first-destination.md)" in readme
    start, test, land, look, launch, *_ = FENCE.findall(readme)
    assert start.split() == ["make", "demo", "make", "dev"]
    now = datetime.now(UTC).isoformat()
    (folder / "orders.csv").write_text(
        f"event_id,event_name,event_timestamp,email,value,currency\na,purchase,{now},a@example.com,1,EUR\n"
    )
    with dev(folder) as stand_in, SandboxServer() as snap:
        tested = follow(test.replace("http://127.0.0.1:8765", stand_in), folder)
        assert tested.count("Connection test successful (") == 2
        assert re.search(r"demo .* live", tested)
        follow(land, folder)
        name = "destination add --name shop"
        told = "".join(
            follow(block.replace(name, f"{name} --base-url {snap.url}"), folder) for block in FENCE.findall(page)
        )
        assert re.search(r"shop: delivered, batch .* HTTP 200", told)
        assert re.search(r"health: +live", told)
        follow(look, folder)
        follow(launch, folder)
        events = requests.get(f"{snap.url}/_sandbox/events", params={"asset_id": PIXEL_ID}, timeout=30).json()
        assert "first-event" in [event["event_id"] for event in events]


def count(newcomer: tuple[Path, str], table: str, expression: str, files: str = "*/*/*.parquet") -> int:
    lake = Pipeline(settings_of(newcomer)).lake
    path = lake.storage.path("") / table / files
    with lake.connect() as connection:
        row = connection.execute(
            f"select {expression} from read_parquet('{path}', hive_partitioning = true)"
        ).fetchone()
    return int(row[0]) if row else 0


def test_the_demo_refuses_a_home_with_a_real_destination(project: Project, tmp_path: Path) -> None:
    project.add_destination("real", base_url="https://tr.snapchat.com")
    refused = run_demo(tmp_path, SNAP_PIPELINE_HOME=str(project.settings.home))
    assert refused.returncode == 1
    assert "must not get sample traffic" in refused.stderr
    assert NAME not in [each.name for each in project.pipeline.destinations.list()]
    assert not project.pipeline.landing.hours()
