"""Strategies of lines to land: JSON objects of any shape, mostly close enough to events to become conversions."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import duckdb
from hypothesis import strategies as st

from snap_pipeline.lake.sql_files import sql

WEB = {
    "event_name": "purchase",
    "event_timestamp": "2026-11-20T12:00:00Z",
    "email": "person@example.com",
    "page_url": "https://shop.example/thanks",
    "properties": {"value": 1, "currency": "EUR", "order_id": "o-1"},
}
SEGMENT = {
    "type": "track",
    "event": "Order Completed",
    "timestamp": "2026-11-20T12:00:00Z",
    "context": {"ip": "198.51.100.7", "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"},
    "properties": {"revenue": 5, "currency": "EUR", "products": [{"product_id": "p", "price": 2, "quantity": 2}]},
}
APP = {
    "type": "screen",
    "timestamp": "2026-11-20T12:00:00Z",
    "context": {
        "device": {"advertisingId": "65a509ba-227c-49ac-91ec-de6817e63b10", "type": "ios"},
        "app": {"namespace": "com.example.shop"},
    },
}
BY_ITEMS = WEB | {"properties": {"currency": "EUR"}}
BASES = (WEB, SEGMENT, APP, BY_ITEMS, {})

PROPERTIES = (
    "value", "revenue", "total", "price", "quantity", "currency", "order_id", "orderId", "transaction_id", "products",
    "items", "line_items", "contents", "product_id", "sku", "brand", "category", "name", "delivery_category",
    "num_items", "content_ids", "item_ids", "content_name", "content_type", "query", "method", "predicted_ltv",
    "status", "event_tag", "app_id", "email", "phone", "ScCid", "subscription_id", "lead_id", "anon_id", "description",
    "level", "checkin_date", "travelEnd", "originAirport", "num_adults", "suggested_hotels", "hotel_score", "city",
)  # fmt: skip
HAZARDS = (
    # Numbers that overflow somewhere
    "1e308", "1e400", "-1e400", "9223372036854775807", "18446744073709551616", "123456789012345678901234567890",
    "0.1e-400", "-0.0", "1e18", "1795176000", "1795176000000", '"9e18"', '"1e308"', '"1e999"', '"-5"', '"999999999999"',
    # Words for nothing
    "null", '""', '"null"', '"NaN"', '"undefined"', '" "', '"\\u00a0\\u200b"', "NaN", "[]", "{}", "[null]", '[""]',
    # Text that is no text
    '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ufeff"', '"\\u001e"', '"\\uffff"',
    # JSON as text, and what nearly is
    '"{}"', '"[]"', '"[1,2"', '"{\\"marketing\\":false}"', '"[{\\"id\\":1,\\"price\\":\\"1e308\\",\\"quantity\\":10}]"',
    # Products
    '[{"product_id":"a","price":1e308,"quantity":10},{"product_id":"b","price":1e308}]',
    '[{"product_id":"a","quantity":9000000000000000000},{"product_id":"b","quantity":"9e18"}]',
    '[null,1,"x",[],{},{"id":null},{"id":{"a":1}},{"id":"n","brand":"null","quantity":-1,"price":"1,5"}]',
    # What has a place of its own
    '"2026-11-20T12:00:00+14:00"', '"2026-11-20"', '"0000-00-00T00:00:00Z"', '"https://a.example/?ScCid=%ff#x"',
    '"https://"', '"10.0.0.1, 203.0.113.5"', '"::ffff:198.51.100.7"', '"1:2:3:4:5:6:7:8:9"', '"a@b.example"',
    '"+44 844 412 4653"', '"00000000-0000-0000-0000-000000000000"', '"mobile"', '"web"', '"csv"', '"ios"', "true",
)  # fmt: skip


@cache
def places() -> tuple[tuple[str, ...], ...]:
    """Return the path to every key that is read from a line, except the event's id."""
    row = duckdb.execute(f"select to_json(keys)::varchar from ({sql('landed_event')})").fetchone()
    assert row
    read = _ways(json.loads(row[0]))
    return tuple(way for way in read if way != ("event_id",)) + tuple(("properties", name) for name in PROPERTIES)


def _ways(keys: Mapping[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    ways = []
    for name, kind in keys.items():
        ways.append((*before, name))
        if isinstance(kind, dict):
            ways += _ways(kind, (*before, name))
    return ways


texts = st.text(st.characters(exclude_categories=()), max_size=12)
values = st.sampled_from(HAZARDS) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).map(json.dumps)
"""Values as JSON text."""


@st.composite
def objects(draw: st.DrawFn) -> str:
    """Generate a JSON object as text, without an event id."""
    tree: dict[str, Any] = _as_text(draw(st.sampled_from(BASES)))
    for way, value in draw(st.lists(st.tuples(st.sampled_from(places()), values), max_size=6)):
        node = tree
        for name in way[:-1]:
            node = node.setdefault(name, {}) if isinstance(node.get(name, {}), dict) else node
        node[way[-1]] = value
    return _written(tree)


def _as_text(value: Any) -> Any:
    return {k: _as_text(v) for k, v in value.items()} if isinstance(value, dict) else json.dumps(value)


def _written(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    return "{" + ",".join(f"{json.dumps(name)}:{_written(value)}" for name, value in tree.items()) + "}"


def with_id(line: str, event_id: str) -> str:
    """Return the object with an event id before its first key."""
    return f'{{"event_id":{json.dumps(event_id)}{"" if line == "{}" else ","}{line[1:]}'
