"""Fixtures of the command-line tests: commands on a test's own home."""

import pytest
from click.testing import CliRunner, Result

from snap_pipeline.cli import main
from snap_pipeline_tests.project import NOW, START, TOKEN, Project


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> object:
    """A function that runs a command on the project's home."""
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(project.settings.home))
    monkeypatch.setenv("SNAP_PIPELINE_START", START)
    monkeypatch.setenv("SNAP_PIPELINE_NOW", NOW.isoformat())
    monkeypatch.setenv("DAGSTER_HOME", "")

    def invoke(*arguments: str, token: str | None = TOKEN) -> Result:
        return CliRunner().invoke(main, list(arguments), env={"SNAP_ACCESS_TOKEN": token})

    return invoke
