"""The code of docs/browser-and-server.md in a browser: each event that leaves it counts once, with its ids."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project

ROOT = Path(__file__).parents[2]
SNIPPET, SEGMENT, COLLECTOR, CALL = re.findall(
    r"```js\n(.*?)```", (ROOT / "docs" / "browser-and-server.md").read_text(), re.DOTALL
)
TRACK = "analytics.track('Order Completed', {order_id: 'A-1001', revenue: 49.9, currency: 'EUR'});"
# What a page has beside the blocks: Snap's pixel and analytics.js, which keep what they would have sent.
SURROUNDINGS = """
window.hits = [];
window.snaptr = (_, name, fields) => hits.push({ name, ...fields });
const middleware = [];
window.analytics = {
  addSourceMiddleware: (each) => middleware.push(each),
  track: (event, properties) => {
    const message = { type: 'track', event, properties, messageId: crypto.randomUUID(), timestamp: new Date() };
    const next = () => navigator.sendBeacon('/events', JSON.stringify(message));
    middleware.forEach((each) => each({ payload: { obj: message }, next }));
  }
};
"""


def browse(chromium: Browser, blocks: list[str], *pages: tuple[str, str]) -> dict[str, Any]:
    """Visit pages one after the other in one browser, and return the event and the pixel's hits of the last one."""
    with chromium.new_context() as context:
        context.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        context.add_init_script(SURROUNDINGS)
        for url, call in pages:
            page = context.new_page()
            page.goto(url)
            page.context.add_cookies([{"name": "_scid", "value": "pixel%2Dcookie", "url": url}])
            page.add_script_tag(content="\n".join(blocks))
            if call:  # a beacon leaves by itself, some time after the call
                with page.expect_request("**/events") as beacon:
                    page.add_script_tag(content=call)
        return {"event": beacon.value.post_data_json, "hits": page.evaluate("hits")}


@pytest.mark.parametrize(("form", "call"), [(SEGMENT, TRACK), (COLLECTOR, CALL)], ids=["analytics.js", "collector"])
def test_both_forms_count_once_and_carry_click_id_and_cookie(
    chromium: Browser, project: Project, form: str, call: str
) -> None:
    pages = ("https://shop.example/?ScCid=aB+c%2F1", ""), ("https://shop.example/thanks", call)
    left = browse(chromium, [SNIPPET, form], *pages)
    event, (hit,) = left["event"], left["hits"]
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
def test_the_last_click_id_is_kept_from_page_to_page(chromium: Browser, urls: list[str], click_id: str | None) -> None:
    pages = [(url, "navigator.sendBeacon('/events', JSON.stringify(snapIds()))") for url in urls]
    assert browse(chromium, [SNIPPET], *pages)["event"].get("ScCid") == click_id
