"""The docs say what the code does: README's commands run, and the error catalogue is the code's."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from snap_pipeline.capi.catalogue_page import catalogue_page
from snap_pipeline_tests.project import HOUR, NOW, START, TOKEN, Project, key, purchase

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
MAKE = ("make demo", "make dev", "make test", "make lint", "make bench")
"""`make demo` and `make dev` have tests of their own; the others are what runs this test, or beside it."""


def readme_commands() -> list[str]:
    return [line for fence in FENCE.findall((ROOT / "README.md").read_text()) for line in fence.strip().splitlines()]


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = [command for command in readme_commands() if command.startswith("make")]
    assert commands == list(MAKE)
    assert {command.split()[1] for command in commands} <= set(targets)


def test_every_other_command_of_the_readme_runs(project: Project, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        f"event_id,event_name,event_timestamp,email,value,currency\na,purchase,{HOUR},a@example.com,1,EUR\n"
    )
    project.land(purchase("landed"))
    environment = os.environ | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "SNAP_ACCESS_TOKEN": TOKEN,
        "DAGSTER_HOME": str(project.settings.dagster_home),
    }
    project.settings.dagster_home.mkdir(parents=True)
    for command in readme_commands():
        if command.startswith("make"):
            continue
        words = shlex.split(command)
        if words[1] == "sandbox":
            assert sandbox_answers(words, environment)
            continue
        if words[1:3] == ["destination", "add"]:  # the README's destination is Snap; here the sandbox stands in for it
            words += ["--base-url", project.sandbox_url, "--since", key(HOUR)]
        folder = ROOT if words[0] == "dg" else tmp_path
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert {event["event_id"] for event in project.received()} == {"a", "landed"}


def sandbox_answers(words: list[str], environment: dict[str, str]) -> bool:
    port = words[words.index("--port") + 1]
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                return requests.get(f"http://127.0.0.1:{port}/_sandbox/requests", timeout=5).ok
            except requests.ConnectionError:
                time.sleep(0.1)
        return False
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)


def test_the_error_page_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == catalogue_page(), (
        "run `python -m snap_pipeline.capi.catalogue_page`"
    )


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target
