"""Output, questions and memory of `snap-pipeline destination`: widths, JSON, questions, test results, remedies."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from snap_pipeline.cli import main
from snap_pipeline.settings import Settings
from snap_pipeline_tests.project import HOUR, TOKEN, Project, key, purchase


def test_the_list_fits_a_terminal_of_80_columns(run: Any, project: Project) -> None:
    project.add_destination("shop-of-the-north", live=False)
    lines = run("destination", "list").stdout.splitlines()
    table = [line for line in lines if line.startswith(("┏", "┃", "┡", "│", "└"))]
    assert max(map(len, table)) <= 80
    assert any("shop-of-the-north" in line and "paused" in line for line in table)


def test_list_and_show_as_json_have_health_backlog_and_no_token(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.set_fault(status=401, count=100)
    project.materialize()
    shown = json.loads(run("destination", "show", "shop", "--json").stdout)
    assert (shown["name"], shown["health"], shown["pending"]) == ("shop", "unauthorized", 1)
    assert [shown] == json.loads(run("destination", "list", "--json").stdout)
    assert TOKEN not in json.dumps(shown)


def test_remove_asks(run: Any, project: Project) -> None:
    project.add_destination()
    run_with = CliRunner().invoke
    assert run_with(main, ["destination", "remove", "shop"], input="n\n").exit_code == 1
    assert [each.name for each in project.pipeline.destinations.list()] == ["shop"]
    answered = run_with(main, ["destination", "remove", "shop"], input="y\n")
    assert (answered.exit_code, project.pipeline.destinations.list()) == (0, [])


def test_the_result_of_the_last_connection_test_is_kept_and_shown(run: Any, project: Project) -> None:
    project.add_destination()
    assert "last test:          none" in run("destination", "show", "shop").stdout
    run("destination", "test", "shop")
    assert ": Connection test successful (" in run("destination", "show", "shop").stdout
    project.set_fault(status=403, count=1)
    assert run("destination", "test", "shop").exit_code == 1
    shown = run("destination", "show", "shop").stdout
    assert "HTTP 403" in shown.split("last test:")[1].splitlines()[0]


def test_remedies_carry_the_destinations_name(run: Any, project: Project) -> None:
    project.add_destination("my shop")
    project.land(purchase("a"))
    project.set_fault(status=401, count=100)
    project.materialize()
    command = "`snap-pipeline destination rotate-token 'my shop'`"
    shown = run("destination", "show", "my shop").stdout
    assert command in shown.split("what to do:")[1].splitlines()[0]
    assert command in shown.split("last error:")[1].splitlines()[0]
    assert command in run("destination", "test", "my shop").stderr


@pytest.mark.parametrize("content", [b"last monday", b"\xff\xfe"])
def test_a_start_file_that_holds_no_hour_is_named(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.delenv("SNAP_PIPELINE_START")
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(tmp_path))
    (tmp_path / "start").write_bytes(content)
    result = run("status")
    assert result.exit_code == 1
    assert f"The file {tmp_path / 'start'}, which holds the first hour of this home, cannot be read" in result.stderr


def test_a_home_begins_where_it_is_told_and_moves_back_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for hour, first in (("2026-11-20T12", "2026-11-20T12"), ("2026-11-21T12", "2026-11-20T12"), ("2026-11-19T12",) * 2):
        settings.begin_at(HOUR.fromisoformat(f"{hour}:00:00+00:00"))
        assert key(settings.first_hour) == first


def test_tokens_of_the_sandbox_are_not_warned_of(run: Any, project: Project) -> None:
    options = ("--name", "try", "--pixel-id", "22222222-3333-4444-8555-666666666666", "--no-test")
    local = run("destination", "add", *options, "--base-url", project.sandbox_url)
    assert (local.exit_code, local.stderr) == (0, "")
    run("destination", "remove", "try", "--yes")
    assert "does not look like a long-lived one" in run("destination", "add", *options).stderr


def test_the_last_hours_include_the_running_one(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("now", at=project.settings.running_hour), hour=project.settings.running_hour)
    result = run("materialize", "--last", "1h")
    assert result.exit_code == 0, result.output
    assert [each["event_id"] for each in project.received()] == ["now"]


def test_preview_shows_an_event_whatever_its_state(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("sent"), purchase("poor", email=None))
    project.materialize()
    sent = run("preview", "--event", "sent")
    assert json.loads(sent.stdout) == project.received()[0]["event"]
    assert f"PURCHASE of {key(HOUR)} at shop: delivered" in sent.stderr
    poor = run("preview", "--event", "poor")
    assert "undeliverable insufficient_identifiers" in poor.stderr
    assert "`snap-pipeline trace nobody`" in run("preview", "--event", "nobody").stderr
