"""Dagster's pages as people see them: a refused backfill, the checks of a range of hours, the run of a command.

Each test leaves a picture of its page in its temporary folder.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.execution.backfill import BulkActionStatus
from playwright.sync_api import Browser, Locator, Page, expect

from snap_pipeline.cli import main
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline.orchestration.run_monitoring import CODE_LOCATION
from snap_pipeline.orchestration.runs import DELIVERY_ASSETS
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.orchestration.backfills import INSTANCE, backfill
from snap_pipeline_tests.project import HOUR, NOW, START, key, purchase
from snap_pipeline_tests.web_server import assets_shown, served

DELIVERED = [HOUR + number * ONE_HOUR for number in range(3)]
REFUSED = HOUR + 3 * ONE_HOUR
BACKFILL = "refused"
SLOW = 60_000.0
"""Milliseconds in which a busy machine shows a page."""
FILLS = """
each => [each, ...each.querySelectorAll('*')]
    .filter(part => part.getBoundingClientRect().width > 0)
    .map(part => getComputedStyle(part).backgroundColor)
"""
RED, ORANGE, GREEN = "red", "orange", "green"


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Iterator[str]:
    """Dagster's UI of a home: a command delivered three hours, then a backfill of the fourth met a refused token."""
    project = make_project(tmp_path_factory.mktemp("pages") / "home", sandbox_url)
    project.add_destination()
    for number, hour in enumerate([*DELIVERED, REFUSED]):
        project.land(purchase(f"e{number}", at=hour), hour=hour)
    folder = project.settings.dagster_home
    home = {
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "DAGSTER_HOME": str(folder),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in home.items():
            patch.setenv(name, value)
        hours = ("--from", key(DELIVERED[0]), "--to", key(DELIVERED[-1]))
        made = CliRunner().invoke(main, ["materialize", *hours])
        assert made.exit_code == 0, made.output
        project.set_fault(status=401)
        with dg.DagsterInstance.local_temp(str(folder), overrides=INSTANCE) as project.instance:
            assert backfill(project, BACKFILL, [REFUSED]) is BulkActionStatus.COMPLETED_FAILED
        project.clear_faults()
    with served(["dagster-webserver", "-w", "workspace.yaml"], home) as url:
        assert assets_shown(url)
        yield url


@pytest.fixture
def page(ui: str, chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """A browser's page below the UI's address, without its greeting; its last state is kept as a picture."""
    with chromium.new_context(base_url=ui, viewport={"width": 1400, "height": 900}) as context:
        context.set_default_timeout(SLOW)
        context.add_init_script("localStorage.setItem('communityNux', '1')")
        opened = context.new_page()
        yield opened
        opened.screenshot(path=tmp_path / "page.png")


def fills(shown: Locator) -> set[str]:
    """Return which of red, orange and green fill a part of what is shown."""
    found = set()
    for colour in shown.evaluate(FILLS):
        red, green, blue, *opacity = (float(number) for number in re.findall(r"[\d.]+", colour))
        if opacity == [0]:
            continue
        if green > 1.3 * max(red, blue):
            found.add(GREEN)
        elif red > 2 * max(green, blue):
            found.add(RED)
        elif red > 1.2 * green > 1.4 * blue:
            found.add(ORANGE)
    return found


def hide_missing_hours(page: Page) -> None:
    """Leave the hours that no run was about out of a list of partitions."""
    expect(page.get_by_text(re.compile(r"^Missing \([1-9]")).first).to_be_visible(timeout=SLOW)
    page.get_by_text(re.compile(r"^Missing \(")).first.click()
    expect(page.get_by_title(key(REFUSED), exact=True).first).to_be_visible(timeout=SLOW)


def hour_colours(page: Page) -> list[set[str]]:
    """Return the colours of the hours in a list of partitions, the first hour first."""
    rows = [page.get_by_title(key(hour), exact=True).first.locator("xpath=../..") for hour in [*DELIVERED, REFUSED]]
    return [fills(row) for row in rows]


def test_a_backfill_whose_token_was_refused_is_red_for_the_tables_of_delivery_alone(page: Page) -> None:
    page.goto(f"/runs/b/{BACKFILL}")
    status = page.locator("span").filter(has_text=re.compile("^Failed$")).first
    expect(status).to_be_visible(timeout=SLOW)
    assert fills(status.locator("..")) == {RED}
    delivery = [asset.to_user_string() for asset in DELIVERY_ASSETS]
    tables = ("raw_events", "conversion_payloads", *delivery)
    bars = {table: page.locator(f"a[href='/assets/{table}']").first.locator("..") for table in tables}
    for bar in bars.values():
        expect(bar).to_contain_text("100% completed", timeout=SLOW)
    assert {table: fills(bar) for table, bar in bars.items()} == {
        "raw_events": {GREEN},
        "conversion_payloads": {GREEN},
        **{table: {RED} for table in delivery},
    }


def test_the_hour_of_a_refused_token_is_red_among_the_partitions(page: Page) -> None:
    page.goto(f"/assets/dispatched_batches?view=partitions&partition={key(REFUSED)}")
    expect(page.get_by_text("failed, and did not materialize this asset")).to_be_visible(timeout=SLOW)
    for status in ("Failed (1)", "Materialized (3)", "Materializing (0)"):
        expect(page.get_by_text(status, exact=True)).to_be_visible(timeout=SLOW)
    hide_missing_hours(page)
    assert hour_colours(page) == [{GREEN}, {GREEN}, {GREEN}, {RED}]


def test_the_checks_of_a_range_are_shown_by_hour_and_none_as_skipped(page: Page) -> None:
    page.goto("/assets/conversion_payloads?view=checks")
    page.get_by_role("tab", name="Execution history").click()
    expect(page.get_by_role("row")).to_have_count(5, timeout=SLOW)
    evaluations = page.get_by_role("row").all()[1:]
    shown = {
        hour: each for hour in map(key, [*DELIVERED, REFUSED]) for each in evaluations if hour in each.inner_text()
    }
    assert len(shown) == len(evaluations)
    assert all("Passed" in each.inner_text() and fills(each) == {GREEN} for each in evaluations)
    page.get_by_role("tab", name="Partitions").last.click()
    for status in ("Execution Failed (0)", "Failed (0)", "In Progress (0)", "Skipped (0)", "Passed (4)"):
        expect(page.get_by_text(status, exact=True)).to_be_visible(timeout=SLOW)
    hide_missing_hours(page)
    assert hour_colours(page) == [{GREEN}] * 4


def test_a_command_s_run_is_listed_under_its_job_with_its_hours_and_its_reason(page: Page) -> None:
    page.goto(f"/locations/{CODE_LOCATION}/jobs/{HOURLY_JOB}/runs")
    hours = f"snap_pipeline/hours: {key(DELIVERED[0])} to {key(DELIVERED[-1])}"
    for tag in (hours, "snap_pipeline/why: snap-pipeline materialize"):
        expect(page.get_by_text(tag)).to_be_visible(timeout=SLOW)
    run = page.get_by_text(hours).locator("xpath=ancestor::*[contains(., 'Success')][1]")
    expect(run).to_contain_text("Success")
    assert fills(run) == {GREEN}
