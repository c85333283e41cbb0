"""The Dagster UI on a home, served as for a user."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ASSETS = "{ assetNodes { assetKey { path } } }"


@contextmanager
def served(command: Sequence[str], surroundings: dict[str, str], folder: Path = ROOT) -> Iterator[str]:
    """Run a command that serves the UI, and yield its address."""
    port = free_port()
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:], "--port", str(port)],
        cwd=folder,
        env=os.environ | {"DAGSTER_DISABLE_TELEMETRY": "1"} | surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end_process_tree(process)


def free_port() -> int:
    """Return a port that no program uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_process_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process with its children, which `dagster dev` does not always end."""
    tree = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for each in tree:
        each.kill()
    psutil.wait_procs(tree, timeout=20)


def assets_shown(url: str) -> list[str]:
    """Return the UI's assets, once it answers; none if it does not within two minutes."""
    for _ in range(240):
        try:
            answer = requests.post(f"{url}/graphql", json={"query": ASSETS}, timeout=30)
            nodes = answer.json()["data"]["assetNodes"]
            if nodes:
                return [node["assetKey"]["path"][-1] for node in nodes]
        except requests.RequestException:
            pass
        time.sleep(0.5)
    return []
