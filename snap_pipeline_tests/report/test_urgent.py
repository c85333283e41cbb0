"""The page begins with what cannot wait, in red, with what to do."""

from pathlib import Path

import pytest

from snap_pipeline.destinations.health import DestinationBacklog
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.report.statuses import read_statuses
from snap_pipeline_tests.project import HOUR, NOW, Project, key
from snap_pipeline_tests.report.conftest import OTHER_PIXEL_ID, WAITING, OpenReport

RED = "rgb(194, 47, 36)"


def test_a_refused_token_and_what_waits_for_it_stand_before_the_scores(open_report: OpenReport, tmp_path: Path) -> None:
    page = open_report(viewport={"width": 1180, "height": 800})
    first = page.locator(".workspace > .card").first
    assert first.locator("h3").inner_text() == "Urgent"
    (heading,) = first.locator("h4").all()
    assert heading.inner_text() == f"second: token refused, {WAITING} conversions wait"
    assert heading.evaluate("each => getComputedStyle(each).color") == RED
    assert "regenerate the Conversions API token" in first.inner_text()
    assert "snap-pipeline destination rotate-token" in first.locator("code").inner_text()
    page.screenshot(path=tmp_path / "urgent.png")
    box, score = first.bounding_box(), page.locator(".summary .ring").bounding_box()
    assert box
    assert score
    assert box["y"] + box["height"] <= score["y"]
    assert box["y"] + box["height"] < 800, "it is on the first screen"


def test_a_destination_for_which_conversions_wait_is_nowhere_called_fine(open_report: OpenReport) -> None:
    page = open_report()
    accounting = page.locator("section:has(> h3:text-is('Accounting')) article header")
    assert sorted(accounting.all_inner_texts()) == [
        f"second\n{WAITING} conversions wait",
        "shop\neverything is accounted for",
    ]
    health = page.locator("section:has(> h3:text-is('Destination health')) article header")
    assert sorted(health.all_inner_texts()) == ["second\ntoken refused\nAPI v3", "shop\nlive\nAPI v3"]


@pytest.mark.parametrize(("hours_waiting", "urgent"), [(0.5, False), (2, True)])
def test_the_hour_that_closed_last_waits_for_its_run_without_alarm(
    project: Project, hours_waiting: float, urgent: bool
) -> None:
    destination = project.add_destination()
    backlog = DestinationBacklog(pending=3, oldest=key(HOUR))
    now = HOUR + ONE_HOUR + hours_waiting * ONE_HOUR
    (status,) = read_statuses([destination], lambda _: backlog, now).values()
    assert (status.waiting, status.is_urgent) == (3, urgent)


def test_a_paused_destination_is_urgent_while_conversions_wait_and_after_those_that_fail(project: Project) -> None:
    paused = project.add_destination("paused", live=False)
    behind = project.add_destination("behind", pixel_id=OTHER_PIXEL_ID)
    backlog = DestinationBacklog(pending=3, oldest=key(HOUR))
    statuses = read_statuses([paused, behind], lambda _: backlog, NOW).values()
    assert [(each.name, each.level, each.is_urgent) for each in statuses] == [
        ("behind", "low", True),
        ("paused", "fair", True),
    ]
    nothing_waits = read_statuses([paused], lambda _: DestinationBacklog(), NOW)
    assert not nothing_waits[paused.id].is_urgent
