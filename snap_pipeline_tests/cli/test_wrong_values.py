"""Invalid settings and arguments: one sentence names the value and the reason, without a traceback."""

from pathlib import Path
from typing import Any

import pytest

from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project, key

RANGE = ("--from", key(HOUR), "--to", key(HOUR))
ADD = ("destination", "add", "--name", "shop", "--no-test")


def is_plain(result: Any) -> bool:
    """Tell whether the command ended with a message of its own, without a traceback."""
    return isinstance(result.exception, SystemExit) and "Error: " in result.stderr


@pytest.mark.parametrize("limit", ["foo", "1500", "1PB", "-1GB", "200%", "GB"])
@pytest.mark.parametrize("command", [("status",), ("materialize", *RANGE), ("destination", "list")])
def test_a_memory_limit_that_is_none_is_named(
    run: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], limit: str
) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_MEMORY_LIMIT", limit)
    result = run(*command)
    assert is_plain(result)
    assert result.exit_code == 1
    assert "SNAP_PIPELINE_MEMORY_LIMIT" in result.stderr
    assert repr(limit) in result.stderr


@pytest.mark.parametrize("limit", ["1500MB", "1.5 gb", "2GiB", "900M", "800000KB", "50%", "100 %"])
def test_a_memory_limit_is_what_duckdb_takes(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_MEMORY_LIMIT", limit)
    assert run("status").exit_code == 0


@pytest.mark.parametrize("start", ["", "2026-11-10T00"])
@pytest.mark.parametrize("home", ["a-file", "a-file/below", "/proc/nowhere/below"])
@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("materialize", *RANGE),
        ("insights",),
        ("dev",),
        ("forget", "--email", "a@example.com"),
        ("land", str(Path(__file__).parents[1] / "data" / "segment_sdk_events.ndjson")),
    ],
)
def test_a_home_that_is_no_folder_is_named(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], home: str, start: str
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(tmp_path / home))
    monkeypatch.setenv("SNAP_PIPELINE_START", start)
    result = run(*command)
    assert is_plain(result), result.exception
    assert result.exit_code == 1
    assert str(tmp_path / home) in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("sandbox", "--port", "99999"),
        ("sandbox", "--port", "-1"),
        ("dev", "--port", "0"),
        (*ADD, "--pixel-id", "nope"),
        (*ADD, "--pixel-id", PIXEL_ID, "--base-url", "ftp://example.com"),
        (*ADD, "--pixel-id", PIXEL_ID, "--requests-per-minute", "0"),
        ("destination", "set", "shop", "--requests-per-minute", "0"),
        (*ADD, "--pixel-id", PIXEL_ID, "--web-age-days", "38"),
        ("destination", "set", "shop", "--offline-age-days", "1.5"),
    ],
)
def test_a_wrong_value_is_bad_usage(run: Any, project: Project, arguments: tuple[str, ...]) -> None:
    if "set" in arguments:
        project.add_destination()
    result = run(*arguments)
    assert is_plain(result)
    assert result.exit_code == 2


def test_a_start_that_lies_ahead_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_START", "2027-01-01T00")
    result = run("status")
    assert result.exit_code == 1
    assert "2027-01-01T00 (SNAP_PIPELINE_START), lies after the running hour, 2026-11-20T20" in result.stderr


def test_a_range_that_ends_before_it_begins_is_told_with_its_hours(run: Any) -> None:
    result = run("status", "--from", "2026-11-21T00")
    assert result.exit_code == 2
    assert "--to, 2026-11-20T20, lies before --from, 2026-11-21T00" in result.stderr
