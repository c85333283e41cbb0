"""Drafts of killed processes: they are found and deleted, and no personal data stays in them."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.files import ABANDONED_AFTER_SECONDS, new_draft
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline_tests.project import HOUR, Project, key, purchase

Run = Callable[..., Result]
ANN = "ann@example.com"


def abandoned(path: Path) -> Path:
    """Make a file one that nobody wrote to for longer than a living process would take."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(f"half of what holds {ANN}")
    past = time.time() - ABANDONED_AFTER_SECONDS - 1
    os.utime(path, (past, past))
    return path


def drafts_of(project: Project) -> list[Path]:
    """Create a draft of each file that holds keys or personal data."""
    home, lake, landing = project.settings.home, project.pipeline.lake, project.pipeline.landing
    return [
        home / ".secret.key.k2j3h4",
        home / ".state.db.x7y8z9",
        home / ".start.4711",
        new_draft(lake.storage.path(""), lake.storage.path(partition(Table.RAW_EVENTS, HOUR))),
        new_draft(lake.storage.path(""), lake.storage.path("") / "tombstones" / "person.json"),
        new_draft(landing._root, landing.folder("default", HOUR) / "events.ndjson"),
        new_draft(lake.storage.path(""), lake.storage.path("") / "accounting_entries" / "data.parquet"),
        lake.storage.path("") / ".emq_scores.4711.tmp",
        lake.storage.path("") / ".spill" / "duckdb_temp_4711_0_storage_DEFAULT-0.tmp",
    ]


@pytest.mark.parametrize("command", [["destination", "list"], ["materialize", "--from", key(HOUR), "--to", key(HOUR)]])
def test_the_next_start_finds_what_a_killed_process_left(run: Run, project: Project, command: list[str]) -> None:
    left = [abandoned(draft) for draft in drafts_of(project)]
    young = [draft.with_name(f"{draft.name}0") for draft in left]
    for draft in young:
        draft.write_text("half of what somebody writes")

    assert run(*command).exit_code == 0

    assert [draft for draft in left if draft.exists()] == []
    assert [draft for draft in young if not draft.exists()] == []


@pytest.mark.parametrize("command", [["prune"], ["forget", "--email", ANN]])
def test_prune_and_forget_find_those_of_earlier_versions_too(run: Run, project: Project, command: list[str]) -> None:
    lake, landing, name = project.pipeline.lake, project.pipeline.landing, f".{'0a' * 16}.tmp"
    left = [
        abandoned(lake.storage.path(partition(Table.RAW_EVENTS, HOUR)).with_name(name)),
        abandoned(landing.folder("default", HOUR) / name),
    ]
    others = abandoned(landing.folder("default", HOUR) / ".of-another-program.tmp")

    assert run(*command).exit_code == 0

    assert [draft for draft in left if draft.exists()] == []
    assert others.exists()


KILLED = """
import os, sys
from snap_pipeline.cli import main

def kill(event, arguments):
    if event == "os.rename" and str(arguments[0]).endswith(".tmp") and sys.argv[1] in str(arguments[1]):
        os.kill(os.getpid(), 9)

sys.addaudithook(kill)
main(sys.argv[2:])
"""


def kill_at_rename(target: str, *command: str) -> None:
    """Run a command up to the moment in which a draft would become a file of this name."""
    ended = subprocess.run([sys.executable, "-c", KILLED, target, *command], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize("command", ["land", "forget"])
def test_a_person_does_not_stay_in_what_a_killed_command_left(
    run: Run, project: Project, tmp_path: Path, command: str
) -> None:
    file = tmp_path / "ann.ndjson"
    file.write_text(f'{{"event_id": "1", "event_name": "purchase", "user_id": "7", "email": "{ANN}"}}\n')
    if command == "land":
        kill_at_rename("ann-", "land", str(file), "--hour", key(HOUR))
    assert run("land", str(file), "--hour", key(HOUR)).exit_code == 0
    if command == "forget":
        kill_at_rename("ann-", "forget", "--email", ANN, "--landing")
    left = list(project.pipeline.landing._root.rglob("*.tmp"))  # `land` reads a copy of the file
    assert len(left) == (2 if command == "land" else 1)
    assert {stat.S_IMODE(draft.parent.stat().st_mode) for draft in left} == {0o700}

    said = run("forget", "--email", ANN, "--landing")
    assert said.exit_code == 0
    assert [draft for draft in left if f"May still hold the person: {draft}" not in said.output] == []

    for draft in left:
        abandoned(draft)
    said = run("forget", "--email", ANN, "--landing")
    assert "May still" not in said.output
    kept = [path for path in project.settings.home.rglob("*") if path.is_file() and ANN.encode() in path.read_bytes()]
    assert kept == []


def test_an_hours_folder_of_a_flat_layout_holds_its_files_alone(
    run: Run, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ann.ndjson"
    file.write_text("{}\n")
    monkeypatch.setenv("SNAP_PIPELINE_LANDING_LAYOUT", "{workspace}-%Y-%m-%dT%H")
    assert run("land", str(file), "--hour", key(HOUR)).exit_code == 0
    (landed,) = project.pipeline.landing._root.rglob("ann-*")
    assert list(landed.parent.iterdir()) == [landed]


@pytest.mark.parametrize("is_of_an_older_version", [False, True])
def test_a_pinned_hour_of_a_killed_delivery_does_not_keep_a_person(
    run: Run, project: Project, monkeypatch: pytest.MonkeyPatch, *, is_of_an_older_version: bool
) -> None:
    project.land(purchase("1", email=ANN))
    project.materialize()
    lake = project.pipeline.lake
    payloads = partition(Table.CONVERSION_PAYLOADS, HOUR)
    with Ledger(lake, HOUR, "d", "default").snapshot(payloads) as snapshot:
        pin = lake.storage.path(snapshot)
    pin.parent.mkdir(parents=True, exist_ok=True)
    pin = pin.with_name("payloads.pinned") if is_of_an_older_version else pin
    os.link(lake.storage.path(payloads), pin)
    assert f"May still hold the person: {pin}" in run("forget", "--email", ANN).output

    monkeypatch.setattr("snap_pipeline.files.ABANDONED_AFTER_SECONDS", -1)
    assert "May still" not in run("forget", "--email", ANN).output
    assert not pin.exists()


def test_a_file_that_is_rewritten_is_open_to_nobody_else(run: Run, project: Project) -> None:
    file = project.land(purchase("1", email=ANN))
    file.chmod(0o600)
    assert f"Rewritten: default/{key(HOUR)}/{file.name}" in run("forget", "--email", ANN, "--landing").output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
