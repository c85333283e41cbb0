"""The docs say what the code does: README's commands run, and the error catalogue is the code's."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snap_pipeline.capi.catalogue_page import catalogue_page
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.project import HOUR, NOW, START, TOKEN, Project, key, purchase

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
MAKE = ("make demo", "make dev", "make test", "make lint", "make bench", "make chaos")
"""`make demo` and `make dev` have tests of their own; the others are what runs this test, or beside it."""


def readme_commands() -> list[str]:
    return [line for fence in FENCE.findall((ROOT / "README.md").read_text()) for line in fence.strip().splitlines()]


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = [command for command in readme_commands() if command.startswith("make")]
    assert commands == list(MAKE)
    assert {command.split()[1] for command in commands} <= set(targets)


@pytest.fixture
def environment(project: Project) -> dict[str, str]:
    """A user's environment: nothing but a home, and the clock of the tests."""
    project.settings.dagster_home.mkdir(parents=True)
    return os.environ | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "SNAP_ACCESS_TOKEN": TOKEN,
        "DAGSTER_HOME": str(project.settings.dagster_home),
    }


def run(command: str, project: Project, folder: Path, environment: dict[str, str]) -> str:
    """Runs a page's command; its destination is Snap, for which the sandbox stands in."""
    words = shlex.split(command)
    if words[1:3] == ["destination", "add"]:
        words += ["--base-url", project.sandbox_url]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_first_three_commands_lead_to_a_passing_connection_test(
    project: Project, environment: dict[str, str]
) -> None:
    section = (ROOT / "README.md").read_text().split("\n## ")[2]
    assert section.startswith("Your first destination")
    serve, *commands = FENCE.findall(section)[0].strip().splitlines()
    assert len(commands) == 2
    del environment["SNAP_ACCESS_TOKEN"]
    server = subprocess.Popen(
        [str(BIN / "snap-pipeline"), *shlex.split(serve.removesuffix("&").replace("8765", "0"))[1:]],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        url = server.stdout.readline().split()[-1]  # README's port may be taken here
        for command in commands:
            line = command.replace(".venv/bin", str(BIN)).replace("http://127.0.0.1:8765", url)
            done = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            assert "Connection test successful (" in done.stdout
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)


def test_every_other_command_of_the_readme_runs(project: Project, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "orders.csv").write_text(
        f"event_id,event_name,event_timestamp,email,value,currency\na,purchase,{HOUR},a@example.com,1,EUR\n"
    )
    project.land(purchase("landed"))
    for command in readme_commands():
        if command.startswith("make") or ".venv/" in command:
            continue
        owed = f" --since {key(HOUR)}" if " destination add " in command else ""
        run(command + owed, project, ROOT if command.startswith("dg ") else tmp_path, environment)
    assert {event["event_id"] for event in project.received()} == {"a", "landed"}


def test_the_way_to_the_first_accepted_event(project: Project, tmp_path: Path, environment: dict[str, str]) -> None:
    page = (ROOT / "docs" / "first-destination.md").read_text()
    (tmp_path / "first.ndjson").write_text(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])
    environment["SNAP_PIPELINE_NOW"] = (HOUR + 0.75 * ONE_HOUR).isoformat()
    said = {
        command: run(command, project, tmp_path, environment)
        for fence in FENCE.findall(page)
        for command in fence.strip().splitlines()
    }
    assert "delivered" in said["snap-pipeline trace first-event"]
    assert "live" in said["snap-pipeline destination show shop"]
    assert [event["event_id"] for event in project.received()] == ["first-event"]


def test_the_commands_of_the_identity_page_run(project: Project, tmp_path: Path, environment: dict[str, str]) -> None:
    page = (ROOT / "docs" / "identity.md").read_text()
    project.land(purchase("ann", email="ann@example.com", user_id="4711"))
    assert project.materialize().success
    said = {
        command: run(command, project, tmp_path, environment)
        for fence in FENCE.findall(page)
        for command in fence.strip().splitlines()
    }
    assert "Rewritten" in said["snap-pipeline forget --user-id 4711 --landing"]
    assert "0 hours were pruned" in said["snap-pipeline prune"]


def test_the_error_page_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == catalogue_page(), (
        "run `python -m snap_pipeline.capi.catalogue_page`"
    )


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target
