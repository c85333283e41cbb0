"""The Dagster UI on a home's data, started by `make dev`'s command and by workspace.yaml, in a browser."""

import os
import socket
import subprocess
from datetime import UTC, datetime

from playwright.sync_api import Browser, expect

from snap_pipeline.hours import ONE_HOUR, hours_between
from snap_pipeline_tests.project import START, Project, key, purchase
from snap_pipeline_tests.screenshots import GRAPH, open_graph
from snap_pipeline_tests.web_server import BIN, assets_shown, served


def surroundings_of(project: Project) -> dict[str, str]:
    project.settings.dagster_home.mkdir(parents=True, exist_ok=True)
    return {
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": project.settings.now().isoformat(),
        "DAGSTER_HOME": str(project.settings.dagster_home),
    }


def test_the_ui_shows_the_assets_in_a_checkout(project: Project) -> None:
    with served(["dagster", "dev", "-w", "workspace.yaml"], surroundings_of(project)) as url:
        assert "raw_events" in assets_shown(url)


def test_the_ui_shows_the_assets_from_any_folder(project: Project) -> None:
    with served(["snap-pipeline", "dev"], surroundings_of(project), folder=project.settings.home) as url:
        assert "raw_events" in assets_shown(url)


def test_a_browser_shows_the_asset_graph_and_a_plot_of_an_assets_numbers(project: Project, chromium: Browser) -> None:
    # The UI plots the newest partitions, by the clock on the wall.
    project.reopen(fixed_now=datetime.now(UTC))
    first, last = (project.settings.running_hour - number * ONE_HOUR for number in (3, 1))
    for number, hour in enumerate(hours_between(first, last)):
        project.land(*(purchase(f"{number}-{each}", at=hour) for each in range(number + 1)), hour=hour)
    hours = ("--from", key(first), "--to", key(last))
    surroundings = surroundings_of(project)
    subprocess.run(
        [str(BIN / "snap-pipeline"), "materialize", *hours],
        env=os.environ | surroundings,
        check=True,
        capture_output=True,
    )
    with served(["dagster-webserver", "-w", "workspace.yaml"], surroundings) as url:
        assert assets_shown(url)
        page = chromium.new_page(viewport={"width": 1700, "height": 2000})
        open_graph(page, url, GRAPH)
        expect(page.get_by_text("raw_events").first).to_be_visible(timeout=60_000)
        page.goto(f"{url}/assets/raw_events?view=overview")
        page.get_by_role("button", name="Plots").click(timeout=60_000)
        expect(page.locator("canvas").first).to_be_visible(timeout=60_000)


def test_dev_says_which_port_is_taken_and_how_to_choose_another(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [str(BIN / "snap-pipeline"), "dev", "--port", str(port)],
            env=os.environ | surroundings_of(project),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Port {port} is used by another program. Choose another: snap-pipeline dev --port {port + 1}\n"
    )
