"""Progress of long work: shown on a terminal, and on nothing else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from snap_pipeline_tests.processes import started
from snap_pipeline_tests.project import purchase

SNAP_PIPELINE = str(Path(sys.executable).with_name("snap-pipeline"))


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """A file to land in a new home."""
    file = tmp_path / "orders.ndjson"
    file.write_text(f"{purchase('a')}\n")
    return file


def test_progress_is_shown_on_a_terminal(landing: Path) -> None:
    terminal, its_end = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")}
    environment |= {"SNAP_PIPELINE_HOME": str(landing.parent / "home"), "TERM": "xterm"}
    command = [SNAP_PIPELINE, "land", str(landing)]
    with started(command, stdin=its_end, stdout=its_end, stderr=its_end, env=environment) as process:
        os.close(its_end)
        screen = _everything(terminal)
    assert process.returncode == 0
    assert b"Landing files" in screen
    assert b"1 line landed in 1 hour" in screen


def test_no_progress_is_shown_in_a_pipe(landing: Path) -> None:
    environment = os.environ | {"SNAP_PIPELINE_HOME": str(landing.parent / "home"), "TERM": "xterm"}
    done = subprocess.run([SNAP_PIPELINE, "land", str(landing)], env=environment, capture_output=True, check=True)
    assert b"Landing files" not in done.stdout + done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


def _everything(terminal: int) -> bytes:
    """Return all that is written to a terminal, until the other end is closed."""
    screen = b""
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # Linux says so where the other end is closed
            read = b""
        if not read:
            os.close(terminal)
            return screen
        screen += read
