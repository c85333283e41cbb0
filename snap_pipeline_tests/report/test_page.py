"""The page of two destinations: the funnel, values, paper, and readers of all kinds."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from snap_pipeline.hours import ONE_HOUR, hours_between
from snap_pipeline_tests.project import Project, key, purchase
from snap_pipeline_tests.report.conftest import WAITING, OpenReport


def panel(page: Page, heading: str) -> str:
    return page.locator(f"section:has(> h3:text-is('{heading}'))").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(open_report: OpenReport, scheme: str, width: int) -> None:
    page = open_report(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_funnel_leads_from_received_to_each_destination_with_examples(open_report: OpenReport) -> None:
    page = open_report()
    headings = page.locator("#workspace-1 section > h3").all_inner_texts()
    assert headings[:3] == ["Urgent", "From events to Snap", "What to do first"]
    steps = [" ".join(step.split()) for step in page.locator(".funnel li").all_inner_texts()]
    assert steps[:3] == [
        "Received 11 0 lines unreadable",
        "Excluded 4 no conversions; why is below",
        "Conversions 7 63.6 % of received",
    ]
    assert sorted(steps[3:]) == [
        f"Delivered to second 0 0 %, {WAITING} conversions wait",
        "Delivered to shop 7 100 % of conversions",
    ]
    page.locator("summary", has_text="Why events are excluded").click()
    rows = page.locator(".examples tbody tr").all_inner_texts()
    assert sorted(set(rows[0].split("\t")[2].split(", "))) in (["denied-1", "denied-26"], ["i-1", "i-26"])


def test_the_value_that_waits_is_shown_by_currency(open_report: OpenReport) -> None:
    said = panel(open_report(), "From events to Snap")
    assert "second\t–\t70 EUR\t–" in said
    assert "shop\t70 EUR\t–\t–" in said


def test_sparklines_show_two_weeks(open_report: OpenReport, two_destinations: Project) -> None:
    page = open_report()
    labels = [each.get_attribute("aria-label") or "" for each in page.locator(".sparkline").all()]
    assert len(labels) == 3
    assert labels[1] == f"Delivered conversions by day, the last two weeks: {', '.join(['0'] * 13)}, 3, 4."
    with two_destinations.pipeline.lake.connect() as connection:
        values = two_destinations.settings.lake / "daily_values" / "data.parquet"
        rows = connection.execute(
            f"select destination, currency, delivered, waiting, lost from '{values}' order by day, destination"
        ).fetchall()
    assert rows == [
        ("second", "EUR", 0, 30, 0),
        ("shop", "EUR", 30, 0, 0),
        ("second", "EUR", 0, 40, 0),
        ("shop", "EUR", 40, 0, 0),
    ]


def test_it_prints_unfolded(open_report: OpenReport, tmp_path: Path) -> None:
    page = open_report()
    hidden = page.locator(".examples")
    assert not hidden.is_visible()
    page.emulate_media(media="print")
    assert hidden.is_visible()
    assert page.locator(".event .advice").last.is_visible()
    page.pdf(path=tmp_path / "report.pdf")


def test_hours_with_unread_files_are_named_instead_of_calling_all_accounted_for(
    open_report: OpenReport, two_destinations: Project, tmp_path: Path
) -> None:
    closed = two_destinations.settings.running_hour - ONE_HOUR
    with ExitStack() as landed:
        for number, badge in ((1, "1 hour with unread files"), (2, "2 hours with unread files")):
            first = closed - (number - 1) * ONE_HOUR
            landed.callback(two_destinations.land(purchase("late", at=first), hour=first, name="late").unlink)
            page = open_report()
            accounting = page.locator("section:has(> h3:text-is('Accounting'))")
            badges = [each.split("\n")[1] for each in accounting.locator("article header").all_inner_texts()]
            assert sorted(badges) == [badge, f"{WAITING} conversions wait"]
            assert "everything is accounted for" not in page.inner_text("body")
            names = ", ".join(key(hour) for hour in hours_between(first, closed))
            assert f"{badge} These sums lack landed files of {names}. To read them:" in accounting.inner_text()
            command = f"snap-pipeline materialize --from {key(first)} --to {key(closed)}"
            assert accounting.locator("code").inner_text() == command
            accounting.screenshot(path=tmp_path / "unread.png")
    assert "everything is accounted for" in open_report().inner_text("body")
