"""Snap's click id: its sources and their precedence (docs/events.md; snap-api.md, section 9)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import PAGE, Row


def click(title: str, expected: str | None, *, url: str | None = None, **event: Any) -> Row:
    """Return a row with an expected click id; `url` is the page's, which is sent as it is."""
    changes = dict(event) | ({"page_url": url} if url else {})
    return Row(
        title,
        changes,
        root={"event_source_url": url} if url else {},
        user={"sc_click_id": expected} if expected else {},
        v2=({"click_id": expected} if expected else {}) | ({"page_url": url} if url else {}),
    )


PROPERTIES = {"value": 12.5, "currency": "EUR", "order_id": "o-1"}

ROWS = [
    click("click_ids first, then columns, properties and URL", "a", url=f"{PAGE}?ScCid=d", click_ids={"ScCid": "a"},
          ScCid="b", properties=PROPERTIES | {"ScCid": "c"}),
    click("the event's own column before properties and URL", "b", url=f"{PAGE}?ScCid=d", ScCid="b",
          properties=PROPERTIES | {"ScCid": "c"}),
    click("properties before the URL", "c", url=f"{PAGE}?ScCid=d", properties=PROPERTIES | {"ScCid": "c"}),
    click("the URL's query", "d", url=f"{PAGE}?utm_source=snapchat&ScCid=d"),
    click("ScCid before sclid within a tier", "a", click_ids={"sclid": "z", "ScCid": "a"}),
    click("sclid of a higher tier before ScCid of a lower one", "z", click_ids={"sclid": "z"}, ScCid="b"),
    click("an empty string falls through to the next tier", "b", click_ids={"ScCid": ""}, ScCid="b"),
    click("a blank and the word null fall through", "c", click_ids={"ScCid": " "}, ScCid="null",
          properties=PROPERTIES | {"sclid": "c"}),
    click("click_ids as JSON text, as a JSONB column gives them", "a", click_ids='{"gclid": "g", "ScCid": "a"}'),
    click("click_ids of other platforms alone are none of Snap's", None, click_ids={"gclid": "g", "fbclid": "f"}),
    click("click_ids that are no object", "b", click_ids="oops", ScCid="b"),
    click("the name in any case, the value's case kept", "AbC-1_x", click_ids={"SCCID": "AbC-1_x"}),
    click("the name in any case in a URL", "AbC", url=f"{PAGE}?sccid=AbC"),
    click("percent-decoded in a URL", "a/b=", url=f"{PAGE}?ScCid=a%2Fb%3D"),
    click("sclid in a URL", "s", url=f"{PAGE}?sclid=s"),
    click("an empty one in a URL is none", None, url=f"{PAGE}?ScCid=&x=1"),
]  # fmt: skip
