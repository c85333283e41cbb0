"""Snap's own scores beside ours, and the weights fitted to them, by the commands on a lake with scores of two days."""

import random
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from snap_pipeline.cli import main
from snap_pipeline.cli.calibration import print_calibration
from snap_pipeline.lake.lake import Lake
from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import NOW

HIDDEN_WEIGHTS = {"em": 50, "ph": 30, "sc_click_id": 20}
TARGETS = {"em": 0.6, "ph": 0.5, "sc_click_id": 0.3}
EVENTS = (
    *("PAGE_VIEW", "VIEW_CONTENT", "LIST_VIEW", "SEARCH", "ADD_CART", "ADD_TO_WISHLIST", "START_CHECKOUT"),
    *("ADD_BILLING", "PURCHASE", "SIGN_UP", "LOGIN", "SUBSCRIBE", "START_TRIAL", "SAVE", "SHARE", "INVITE", "RATE"),
)


def write_scores(lake: Path, events: tuple[str, ...]) -> None:
    """Write a week's conversions and Snap's scores of two days, from 0 to 100, by weights that are not ours."""
    chance = random.Random(7)
    counts = {event: {name: chance.randint(0, 100) for name in lakes.MATCH_PARAMETERS} for event in events}
    completeness = [(each, "WEB", 100, present) for each, present in counts.items()]
    lakes.write_completeness(lake, "2026-03-01T12", *(("default", *each) for each in completeness))
    scores = {
        event: sum(weight * min(present[name] / 100 / TARGETS[name], 1) for name, weight in HIDDEN_WEIGHTS.items())
        for event, present in counts.items()
    }
    lakes.write_rows(
        lake / "snap_scores/data.parquet",
        "day, destination_id, workspace, asset, asked_at, event_name, conversion_type, event_source, score_name,"
        " is_overall, score",
        *(
            f"date '{day}', 'd1', 'default', 'pixels', timestamp '{day} 00:05:00', '{event}', 'WEB', '{source}',"
            f" 'score', true, {number}"
            for day in ("2026-03-02", "2026-03-03")
            for event, score in scores.items()
            for source, number in (("API", score), ("SDK", 0))
        ),
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("SNAP_PIPELINE_NOW", NOW)
    monkeypatch.setenv("SNAP_PIPELINE_START", "2026-02-01T00")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_weights_are_fitted_to_the_scores_of_snap_and_nothing_is_changed(home: Path) -> None:
    write_scores(home / "lake", EVENTS)
    said = run("insights", "--calibrate")
    assert "Snap's own score" in said
    assert "over 34 observations (at least 26 are needed)" in said
    errors = re.findall(r"(\d\.\d\d)(?: with our weights| with the fitted ones|\.)", said)
    ours, fitted, unseen = map(float, errors)
    assert max(fitted, unseen) < 0.1 < ours
    assert "on a scale from 0 to 100" in said
    weights = dict(re.findall(r"(E-mail|Phone|Click id)[^│]*│ +\d+ +│ +([\d.]+)", said))
    assert {name: round(float(weight), -1) for name, weight in weights.items()} == {
        "Click id": 20,
        "E-mail": 50,
        "Phone": 30,
    }
    page = home / "report.html"
    run("report", "-o", str(page))
    html = page.read_text()
    assert re.search(r"Snap's own score \d+\.\d", html)
    assert "Ask Snap for approval before you show it in public" in html


def test_too_few_observations_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakes.write_rows(
        tmp_path / "report_calibration/data.parquet",
        "workspace, event_name, conversion_type, day, snap_score, parameter, weight, reached",
        *(
            f"'default', '{event}', 'WEB', date '2026-03-02', 5.0, '{parameter}', 20, 0.5"
            for event in EVENTS[:3]
            for parameter in HIDDEN_WEIGHTS
        ),
    )
    print_calibration(Lake(tmp_path, memory_limit="500MB", threads=1))
    said = capsys.readouterr().out
    assert "3 in the last seven days, at least 6 are needed" in said
    assert "with our weights" not in said
