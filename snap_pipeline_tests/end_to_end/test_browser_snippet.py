"""The code of docs/browser-and-server.md, run as it stands there: what leaves the browser counts once, with its ids."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project

ROOT = Path(__file__).parents[2]
SNIPPET, SEGMENT, COLLECTOR, CALL = re.findall(
    r"```js\n(.*?)```", (ROOT / "docs" / "browser-and-server.md").read_text(), re.DOTALL
)
TRACK = "analytics.track('Order Completed', {order_id: 'A-1001', revenue: 49.9, currency: 'EUR'});"
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed; it stands in for the browser")


def browse(blocks: list[str], *pages: tuple[str, str]) -> dict[str, Any]:
    """Visits pages one after the other in one browser; what left each, and the cookies at the end."""
    visits = [{"url": url, "call": call} for url, call in pages]
    done = subprocess.run(
        ["node", str(ROOT / "snap_pipeline_tests" / "browser_page.js")],
        input=json.dumps({"blocks": blocks, "pages": visits}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@needs_node
@pytest.mark.parametrize(("form", "call"), [(SEGMENT, TRACK), (COLLECTOR, CALL)], ids=["analytics.js", "collector"])
def test_both_forms_count_once_and_carry_click_id_and_cookie(project: Project, form: str, call: str) -> None:
    pages = ("https://shop.example/?ScCid=aB+c%2F1", ""), ("https://shop.example/thanks", call)
    _, thanks = browse([SNIPPET, form], *pages)["left"]
    (event,), (hit,) = thanks["events"], thanks["hits"]
    at = HOUR.isoformat()
    project.add_destination()
    project.land(event | {"timestamp": at, "event_timestamp": at, "email": "person@example.com"})
    assert project.materialize().success
    hit |= {"pixel_id": PIXEL_ID, "timestamp": int(HOUR.timestamp() * 1000)}
    requests.post(f"{project.sandbox_url}/_sandbox/pixel", json=hit, timeout=30).raise_for_status()

    (counted,) = project.received()
    assert (counted["event_name"], counted["order_id"], counted["received"]) == ("PURCHASE", "A-1001", 2)
    user = counted["event"]["user_data"]
    assert (user["sc_click_id"], user["sc_cookie1"]) == ("aB+c/1", "pixel-cookie")
    assert counted["event"]["custom_data"]["value"] == hit["price"] == 49.9
    assert counted["event_id"] == hit["client_dedup_id"]


@needs_node
@pytest.mark.parametrize(
    ("urls", "click_id"),
    [
        (["https://a.example/?sccid=one", "https://a.example/"], "one"),
        (["https://a.example/?x=1&sclid=one", "https://a.example/?sclid="], "one"),
        (["https://a.example/?ScCid=one", "https://a.example/#ScCid=two"], "two"),
        (["https://a.example/?ScCid=%ff"], "%ff"),
        (["https://a.example/?MyScCid=one"], None),
    ],
)
def test_the_last_click_id_is_kept_from_page_to_page(urls: list[str], click_id: str | None) -> None:
    pages = [(url, "navigator.sendBeacon('', JSON.stringify(snapIds()))") for url in urls]
    *_, last = browse([SNIPPET], *pages)["left"]
    assert last["events"][0].get("ScCid") == click_id
