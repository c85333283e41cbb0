"""The README's pictures, taken of the demo in this environment's home: `make screenshots`."""

import sys
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from click.testing import CliRunner
from playwright.sync_api import Browser, FloatRect, Page

from snap_pipeline.cli import main as snap_pipeline
from snap_pipeline.settings import load_settings
from snap_pipeline_tests.browser import CHROMIUM, MISSING, browser
from snap_pipeline_tests.web_server import ROOT, assets_shown, served

IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000
"""Bytes of a picture; a README is loaded often."""
MARGIN = 90
"""Pixels around the outermost names of the graph, which leave room for the frames of nodes and groups."""
GRAPH = 'group:"events" or group:"conversions" or group:"delivery" or group:"insights"'


def picture_report(chromium: Browser, page_file: Path) -> None:
    """Take the report's first screen, in the light and the dark theme."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page = chromium.new_page(color_scheme=scheme, viewport={"width": 1180, "height": 800})
        page.goto(page_file.as_uri())
        page.screenshot(path=IMAGES / f"report-{scheme}.png")


def picture_graph(chromium: Browser, url: str) -> None:
    """Take the asset graph, without seeds and staging, in a window that fits all of it."""
    page = chromium.new_page(viewport={"width": 1700, "height": 2000})
    open_graph(page, url, GRAPH)
    names = [page.get_by_text(name, exact=True).last for name in ("raw_events", "identity_links", "emq_scores")]
    boxes = [box for name in names if (box := name.bounding_box())]
    assert len(boxes) == len(names), "the graph lacks assets"
    left, top = min(box["x"] for box in boxes) - MARGIN, min(box["y"] for box in boxes) - MARGIN
    right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
    clip: FloatRect = {"x": left, "y": top, "width": right + MARGIN - left, "height": bottom + MARGIN - top}
    page.screenshot(path=IMAGES / "asset-graph.png", clip=clip)


def open_graph(page: Page, url: str, selection: str = "") -> None:
    """Open the whole asset graph with all groups open, without the UI's greeting."""
    page.add_init_script("localStorage.setItem('communityNux', '1')")
    page.goto(f"{url}/asset-groups~{quote(selection)}/" if selection else f"{url}/asset-groups")
    page.get_by_text("events", exact=True).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)  # the layout is computed after the names are there
    page.keyboard.press("Alt+e")
    page.wait_for_timeout(2_000)
    page.get_by_role("button").filter(has=page.locator("[aria-label=zoom_out]")).click()  # nodes outside are not drawn
    page.wait_for_timeout(3_000)  # the layout is animated


def main() -> None:
    """Take all pictures into docs/images."""
    if CHROMIUM is None:
        sys.exit(f"Taking pictures {MISSING}.")
    settings = load_settings()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        report = Path(folder) / "report.html"
        written = CliRunner().invoke(snap_pipeline, ["report", "-o", str(report)])
        if written.exit_code:
            sys.exit(f"{written.stderr}`make demo` makes something to picture.")
        picture_report(chromium, report)
        home = {"DAGSTER_HOME": str(settings.dagster_home)}
        with served(["dagster-webserver", "-w", "workspace.yaml"], home) as url:
            assert assets_shown(url), "the UI does not come up"
            picture_graph(chromium, url)
    for picture in IMAGES.glob("*.png"):
        assert picture.stat().st_size < LARGEST, f"{picture} is too large"
        print(picture.relative_to(ROOT), picture.stat().st_size)


if __name__ == "__main__":
    main()
