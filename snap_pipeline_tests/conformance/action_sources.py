"""Explicit words for the conversion type, wherever they stand (snap-api.md, section 3.3)."""

from typing import Any

from snap_pipeline_tests.conformance.channels import UNKNOWN_DEVICE, V2_APP
from snap_pipeline_tests.conformance.rows import EVENT, NOON_MS, PIXEL, Row, sha

PROPERTIES = EVENT["properties"]
SHOP: dict[str, Any] = {"context": {"app": {"name": "Shop"}}, "page_url": None}


def offline(title: str, /, **event: Any) -> Row:
    """Return a row whose event differs from the usual one only in how it says that it is OFFLINE."""
    return Row(title, event, root={"action_source": "OFFLINE"}, v2={"event_conversion_type": "OFFLINE"})


def app(title: str, /, **event: Any) -> Row:
    """Return a row whose event says that it is MOBILE_APP, and nothing of the device."""
    return Row(title, event, root={"action_source": "MOBILE_APP", "app_data": UNKNOWN_DEVICE}, v2=V2_APP,
               undeliverable={"v2": "no_store_app_id"})  # fmt: skip


ROWS = [
    *(offline(f"action_source {word} is OFFLINE", action_source=word)
      for word in ("OFFLINE", "physical_store", "Physical Store", "phone_call", "email", "chat", "system_generated",
                   "other", "pos", "in-store", "store", "callCenter")),
    *(app(f"action_source {word} is MOBILE_APP", action_source=word)
      for word in ("MOBILE_APP", "mobile-app", "Mobile App", "app", "ios", "Android", "in_app")),
    *(Row(f"action_source {word} is WEB, also with the context of an app", SHOP | {"action_source": word},
          root={"event_source_url": None}, v2={"page_url": None})
      for word in ("WEB", "website", "browser", "Online Store")),
    offline("actionSource", actionSource="physical_store"),
    offline("event_conversion_type, as in version 2", event_conversion_type="OFFLINE"),
    offline("eventConversionType", eventConversionType="offline"),
    *(offline(f"{key} among the properties", properties=PROPERTIES | {key: "offline"})
      for key in ("action_source", "actionSource", "event_conversion_type", "eventConversionType", "channel",
                  "origin")),
    offline("properties as JSON text",
            properties='{"value": 12.5, "currency": "EUR", "order_id": "o-1", "eventConversionType": "Offline"}'),
    offline("channel offline", channel="offline"),
    offline("context.channel store", context={"channel": "store"}),
    offline("origin point_of_sale", origin="point_of_sale"),
    Row("an event's own origin wins over the context of an app", SHOP | {"origin": "pos"},
        root={"action_source": "OFFLINE", "event_source_url": None},
        v2={"event_conversion_type": "OFFLINE", "page_url": None}),
    app("action_source wins over a channel", action_source="app", channel="web"),
    app("the event's own word wins over the properties", action_source="app",
        properties=PROPERTIES | {"action_source": "offline"}),
    app("channel wins over the origin", channel="mobile", origin="csv"),
    Row("channel server says nothing: a server library's event is WEB, of the workspace's site",
        {"type": "track", "event": "Order Completed", "channel": "server", "timestamp": "2026-11-20T12:00:00Z",
         "context": {"library": {"name": "analytics-node"}, "traits": {"email": "ann@example.com"}},
         "properties": {"revenue": 12.5, "currency": "EUR", "order_id": "o-1"}},
        root={"event_name": "PURCHASE", "event_time": NOON_MS, "action_source": "WEB",
              "event_source_url": "https://shop.example.co.uk/"},
        user={"em": [sha("ann@example.com")]},
        custom={"value": 12.5, "currency": "EUR", "order_id": "o-1"},
        v2={"pixel_id": PIXEL, "event_type": "PURCHASE", "event_conversion_type": "WEB", "timestamp": str(NOON_MS),
            "hashed_email": sha("ann@example.com"),
            "page_url": "https://shop.example.co.uk/", "price": "12.5", "currency": "EUR", "transaction_id": "o-1"},
        whole=True, workspace="britain"),
    Row("an app's event that a server passed on is MOBILE_APP", SHOP | {"channel": "server"},
        root={"action_source": "MOBILE_APP", "event_source_url": None, "app_data": UNKNOWN_DEVICE},
        v2=V2_APP | {"page_url": None}, undeliverable={"v2": "no_store_app_id"}),
    Row("channel email is where the visit came from, not where the order was placed", {"channel": "email"}),
    Row("the same among the properties", {"properties": PROPERTIES | {"channel": "email", "origin": "LHR"}}),
    Row("an unknown word leaves it to the context", {"action_source": "drone"}),
    Row("a word without meaning says nothing", {"action_source": "null", "channel": ""}),
]  # fmt: skip
