"""A lost key file: commands say so, and make no other key while tokens are stored."""

import re
import subprocess
from typing import Any

import pytest

from snap_pipeline_tests.project import Project


@pytest.mark.parametrize(
    "command", [("destination", "list"), ("destination", "rotate-token", "shop"), ("rotate-key",), ("status",)]
)
def test_a_lost_key_is_told_and_none_is_made(run: Any, project: Project, command: tuple[str, ...]) -> None:
    project.add_destination()
    key_file = project.settings.secret_key_file
    key_file.unlink()
    told = run(*command)
    assert told.exit_code == 1
    assert f"{key_file} is gone. The access tokens of shop were encrypted with it" in told.stderr
    assert not key_file.exists()


def test_its_remedy_works(run: Any, project: Project) -> None:
    project.add_destination()
    project.settings.secret_key_file.unlink()
    (make_a_key,) = re.findall(r"make one with `([^`]+)`", run("destination", "list").stderr)
    subprocess.run(make_a_key, shell=True, check=True)
    assert run("destination", "rotate-token", "shop").exit_code == 0
    assert "Connection test successful" in run("destination", "test", "shop").stdout


def test_a_home_without_tokens_gets_a_key(run: Any, project: Project) -> None:
    assert run("destination", "list").exit_code == 0
    assert project.settings.secret_key_file.exists()
