"""Fixtures of the collector's tests: a collector in processes of its own, on a home of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from snap_pipeline.collector.sources import Kind, SourceStore
from snap_pipeline_tests.project import Project
from snap_pipeline_tests.web_server import free_port


class RunningCollector:
    """A collector in a process of its own."""

    def __init__(self, project: Project, *options: str, environment: dict[str, str] | None = None) -> None:
        self.project, self._options, self._environment = project, options, environment or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [Path(sys.executable).with_name("snap-pipeline"), "collect", "--port", str(self.port), *self._options]
        settings = self.project.settings
        assert settings.fixed_now
        process = subprocess.Popen(
            command,
            env=os.environ
            | {"SNAP_PIPELINE_HOME": str(settings.home), "SNAP_PIPELINE_NOW": settings.fixed_now.isoformat()}
            | self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(600):
            try:
                requests.get(f"{self.url}/healthz", timeout=1).raise_for_status()
            except requests.ConnectionError:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
            else:
                return process
        raise AssertionError("The collector does not answer.")

    def add_source(self, kind: Kind, name: str | None = None, workspace: str = "default") -> str:
        """Add a source, and return its write key."""
        store = SourceStore(self.project.pipeline.database, tuple(self.project.pipeline.workspaces))
        return store.add(name or kind, workspace, kind)[1]

    def kill(self) -> None:
        """Kill the collector as a power cut would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same port."""
        self.process = self._start()

    def stop(self) -> str:
        """End the collector as `systemctl stop` would; return its log."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=60)[1]

    def post(self, key: str, body: Any, path: str = "/v1/batch", **options: Any) -> requests.Response:
        """Post a body."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return requests.post(f"{self.url}{path}", data=data, auth=(key, ""), timeout=30, **options)

    def landed(self) -> list[Any]:
        """Return the events of the published files."""
        return [orjson.loads(line) for file in self.files() for line in file.read_bytes().splitlines()]

    def held(self) -> list[Any]:
        """Return the events of the running minute, which are on disk and not published yet."""
        drafts = self.project.settings.landing.rglob(".collected-*")
        return [orjson.loads(line) for draft in drafts for line in draft.read_bytes().splitlines()]

    def files(self) -> list[Path]:
        """Return the published files."""
        return [file for file in sorted(self.project.settings.landing.rglob("*.ndjson")) if file.name[0] != "."]


@pytest.fixture
def collector(project: Project) -> Iterator[RunningCollector]:
    """A running collector."""
    running = RunningCollector(project)
    yield running
    running.kill()
