"""Unread files: `status` warns of them, and does not say that every landed line is accounted for."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.project import HOUR, NOW, Project, key, purchase

BALANCED = "Every landed line is accounted for."


def test_hours_that_nobody_read_are_named_with_the_command_that_reads_them(run: Any, project: Project) -> None:
    for hours in range(5):
        project.land(purchase(f"e{hours}"), hour=HOUR - hours * ONE_HOUR)
    told = run("status")
    assert told.exit_code == 0
    assert BALANCED not in told.stdout
    assert (
        "Warning: 5 hours with landed files that were not read: 2026-11-20T08, 2026-11-20T09, 2026-11-20T10 and 2 more."
        in told.stderr
    )
    read_them = "snap-pipeline materialize --from 2026-11-20T08 --to 2026-11-20T12"
    assert read_them in told.stderr
    assert run(*read_them.split()[1:]).exit_code == 0
    told = run("status")
    assert (BALANCED in told.stdout, told.stderr) == (True, "")


def test_a_file_that_landed_late_in_an_hour_that_was_read_is_told(run: Any, project: Project) -> None:
    project.land(purchase("a"))
    project.materialize()
    project.land(purchase("late"), name="late")
    told = run("status")
    assert BALANCED not in told.stdout
    assert "1 hour with landed files that were not read: 2026-11-20T12." in told.stderr


def test_only_the_hours_that_were_asked_for_count_and_json_stays_as_it_is(run: Any, project: Project) -> None:
    project.land(purchase("a"))
    for earlier_or_later in (HOUR - ONE_HOUR, HOUR + ONE_HOUR):
        told = run("status", "--from", key(earlier_or_later), "--to", key(earlier_or_later))
        assert (BALANCED in told.stdout, told.stderr) == (True, "")
    assert (BALANCED in run("status", "--last", "7h").stdout, BALANCED in run("status", "--last", "8h").stdout) == (
        True,
        False,
    )
    told = run("status", "--json")
    assert (json.loads(told.stdout), told.stderr) == ([], "")


def test_the_running_hour_is_told_without_alarm(run: Any, project: Project) -> None:
    project.land(purchase("a"), hour=project.settings.running_hour)
    told = run("status")
    assert BALANCED not in told.stdout
    assert f"The running hour, {key(NOW)}, has files that are read when it is over." in told.stdout
    assert told.stderr == ""


def test_folders_that_stand_for_no_hour_of_a_workspace_are_told(run: Any, project: Project) -> None:
    root = project.pipeline.landing._root
    for name in ("default/2026-11-20T9", "Default/2026-11-20T09", "shop/2026-11-20T09", "default/_drafts"):
        (root / name).mkdir(parents=True)
    assert (
        "landing folders that belong to no configured workspace, or whose names are not hours, are not read: "
        in run("status").stderr
    )
    assert "Default/2026-11-20T09, default/2026-11-20T9, shop/2026-11-20T09." in run("status").stderr


@pytest.mark.parametrize(("name", "is_of_a_workspace"), [("lost+found", False), ("default", True)])
def test_a_folder_that_cannot_be_read_holds_up_its_workspace_alone(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch, name: str, is_of_a_workspace: bool
) -> None:
    project.land(purchase("a"))
    locked = project.pipeline.landing._root / name
    locked.mkdir(exist_ok=True)
    scan = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    told = run("status")
    if is_of_a_workspace:
        assert (told.exit_code, f"{locked} cannot be read: Permission denied" in told.stderr) == (1, True)
    else:
        assert (told.exit_code, "1 hour with landed files that were not read" in told.stderr) == (0, True)
