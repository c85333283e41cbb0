"""The Dagster UI comes up on a home's data, by `make dev`'s command and by workspace.yaml alike."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests

from snap_pipeline_tests.project import START, Project

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ASSETS = "{ assetNodes { assetKey { path } } }"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_process_tree(process: subprocess.Popen[bytes]) -> None:
    """`dagster dev` does not always end its children."""
    tree = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for each in tree:
        each.kill()
    psutil.wait_procs(tree, timeout=20)


@pytest.mark.parametrize("command", [["snap-pipeline", "dev"], ["dagster", "dev", "-w", "workspace.yaml"]])
def test_the_ui_shows_the_assets(project: Project, command: list[str]) -> None:
    port = free_port()
    project.settings.dagster_home.mkdir(parents=True)
    environment = os.environ | {
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "DAGSTER_HOME": str(project.settings.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:], "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert "raw_events" in assets_shown(port)
    finally:
        end_process_tree(process)


def assets_shown(port: int) -> list[str]:
    for _ in range(240):
        try:
            answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": ASSETS}, timeout=30)
            nodes = answer.json()["data"]["assetNodes"]
            if nodes:
                return [node["assetKey"]["path"][-1] for node in nodes]
        except requests.RequestException:
            pass
        time.sleep(0.5)
    return []
