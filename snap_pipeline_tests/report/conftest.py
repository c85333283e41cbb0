"""The report of a home with two destinations, one of which refuses the token, after real runs and real dbt."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.cli import main
from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.jobs import INSIGHTS_JOB
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.project import Project, purchase

OTHER_PIXEL_ID = "99999999-2222-4333-8444-555555555555"
WAITING = 7
"""Conversions that wait for the destination whose token is refused."""

OpenReport = Callable[..., Page]


@pytest.fixture(scope="session")
def two_destinations(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Project:
    """A project after two hours of deliveries: `shop` took everything, `second` refused its token."""
    project = make_project(tmp_path_factory.mktemp("report") / "home", sandbox_url)
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL_ID, token=AccessToken("refused-token"))
    closed = project.settings.running_hour - ONE_HOUR
    for hours_ago, events in ((26, 3), (1, 4)):
        hour = closed - (hours_ago - 1) * ONE_HOUR
        identify = {"type": "identify", "messageId": f"i-{hours_ago}", "timestamp": hour.isoformat(), "userId": "7"}
        project.land(
            *(purchase(f"e{hours_ago}-{number}", at=hour) for number in range(events)),
            purchase(f"denied-{hours_ago}", at=hour, consent={"marketing": False}),
            identify,
            hour=hour,
        )
        project.materialize(hour)
    job = build_definitions(project.settings).resolve_job_def(INSIGHTS_JOB)
    assert job.execute_in_process(instance=project.instance).success
    return project


@pytest.fixture
def write_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Project], Path]:
    """Runs `snap-pipeline report` on a project."""

    def write(project: Project) -> Path:
        monkeypatch.setenv("SNAP_PIPELINE_HOME", str(project.settings.home))
        monkeypatch.setenv("SNAP_PIPELINE_NOW", str(project.settings.fixed_now))
        written = CliRunner().invoke(main, ["report", "-o", str(tmp_path / "report.html")])
        assert written.exit_code == 0, written.output
        return tmp_path / "report.html"

    return write


@pytest.fixture
def open_report(
    write_report: Callable[[Project], Path], two_destinations: Project, chromium: Browser
) -> Iterator[OpenReport]:
    """Opens a project's report; keyword arguments are those of a browser context."""
    contexts = []

    def open_page(project: Project = two_destinations, **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.goto(write_report(project).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
