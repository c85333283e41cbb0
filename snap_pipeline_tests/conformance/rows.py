"""Rows of the conformance table: an event as a site sends it, and the exact bodies that Snap must get.

Every expectation is written by hand, from docs/snap-api.md or from the documentation that the row names.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PIXEL = "11111111-2222-4333-8444-555555555555"
APP = "66666666-7777-4888-9999-000000000000"
IOS_APP, ANDROID_APP = "447188370", "com.example.store"
"""The ids of the app in its stores, which are settings of the destinations."""
IP, BROWSER, PAGE = "198.51.100.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "https://shop.example.com/thanks"
NOON_MS = 1795176000000
"""2026-11-20T12:00:00Z."""

EVENT: dict[str, Any] = {
    "event_name": "purchase",
    "event_timestamp": "2026-11-20T12:00:00Z",
    "ip_address": IP,
    "user_agent": BROWSER,
    "page_url": PAGE,
    "properties": {"value": 12.5, "currency": "EUR", "order_id": "o-1"},
}


def sha(text: str) -> str:
    """Return the hash of a normalized text, as Snap wants it."""
    return hashlib.sha256(text.encode()).hexdigest()


V3: dict[str, Any] = {
    "event_name": "PURCHASE",
    "event_time": NOON_MS,
    "action_source": "WEB",
    "event_source_url": PAGE,
    "user_data": {"client_ip_address": IP, "client_user_agent": BROWSER},
    "custom_data": {"value": 12.5, "currency": "EUR", "order_id": "o-1"},
}
V2: dict[str, Any] = {
    "pixel_id": PIXEL,
    "event_type": "PURCHASE",
    "event_conversion_type": "WEB",
    "timestamp": str(NOON_MS),
    "hashed_ip_address": sha(IP),
    "user_agent": BROWSER,
    "page_url": PAGE,
    "price": "12.5",
    "currency": "EUR",
    "transaction_id": "o-1",
}


@dataclass(frozen=True)
class Row:
    """An event and its expected outcome.

    Attributes:
        title: what the row shows, and where the rule stands.
        event: keys that differ from `EVENT`; None takes a key away. With `whole`, the event as it is.
        root: v3's keys outside user_data and custom_data that differ from `V3`.
        user: keys of v3's user_data that differ.
        custom: keys of v3's custom_data that differ.
        v2: keys that differ from `V2`.
        whole: the event is no change of `EVENT`, and the bodies are no changes of `V3` and `V2`.
        excluded: the reason in excluded_events; there are no bodies then.
        undeliverable: the reason, by version, for which it is not sent.
        dropped: kinds of values that were given and cannot be used.
        workspace: it lands in.
        id_key: the key that has the event's id, if not the usual one.
    """

    title: str
    event: Mapping[str, Any] = field(default_factory=dict)
    root: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    v2: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    excluded: str | None = None
    undeliverable: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    workspace: str = "default"
    id_key: str = ""

    def landed(self, event_id: str) -> dict[str, Any]:
        """Return the line that lands, with the given id unless the row has one."""
        id_key = self.id_key or ("messageId" if "type" in self.event else "event_id")
        base = {} if self.whole else EVENT
        return {id_key: event_id, **_changed(base, self.event)}

    def body_v3(self, event_id: str) -> dict[str, Any]:
        """Return the expected body for v3."""
        base = {"user_data": {}, "custom_data": {}} if self.whole else V3
        body = _changed(base, self.root) | {"event_id": event_id}
        body["user_data"] = _changed(base["user_data"], self.user)
        body["custom_data"] = _changed(base["custom_data"], self.custom)
        if not body["custom_data"]:
            del body["custom_data"]
        return body

    def body_v2(self, event_id: str) -> dict[str, Any]:
        """Return the expected body for v2."""
        return _changed({} if self.whole else V2, self.v2) | {"client_dedup_id": event_id}


def _changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(base)) | dict(changes)
    return {name: value for name, value in changed.items() if value is not None}
