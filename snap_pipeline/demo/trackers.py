"""The formats of the sample shop's trackers: first-party rows, Segment calls, and rows of orders."""

import json
from datetime import datetime, timedelta
from typing import Any

from snap_pipeline.demo.visits import ShopEvent

NAMES = {
    "session_start": ("session_start", "Session Started"),
    "page_viewed": ("page_view", "Page Viewed"),
    "page_hidden": ("page_hidden", "Page Hidden"),
    "consent_update": ("consent_update", "Consent Updated"),
    "list_viewed": ("view_item_list", "Product List Viewed"),
    "product_viewed": ("view_item", "Product Viewed"),
    "searched": ("search", "Products Searched"),
    "added_to_wishlist": ("add_to_wishlist", "Product Added to Wishlist"),
    "added_to_cart": ("add_to_cart", "Product Added"),
    "checkout_started": ("begin_checkout", "Checkout Started"),
    "payment_info_entered": ("add_payment_info", "Payment Info Entered"),
    "purchased": ("purchase", "Order Completed"),
    "signed_up": ("sign_up", "Signed Up"),
    "logged_in": ("login", "Logged In"),
    "identify": ("identify", "identify"),
    "subscribed": ("subscribe", "Newsletter Subscribed"),
    "order_shipped": ("order_shipped", "Order Shipped"),
    "app_installed": ("first_open", "Application Installed"),
    "app_opened": ("app_open", "Application Opened"),
    "screen": ("screen_view", "Screen Viewed"),
}
"""Each action's name in GA4, which web shops use, and in Segment's e-commerce spec."""

_SEGMENT_TRAITS = {"first_name": "firstName", "last_name": "lastName"}
_SEGMENT_ADDRESS = {"city": "city", "state": "state", "zip": "postalCode", "country": "country"}


def first_party_row(event: ShopEvent, hour: datetime) -> dict[str, Any]:
    """Format an event as a row of a first-party events table, with nulls for unknown values."""
    customer, device = event.customer, event.device
    return {
        "event_id": event.event_id,
        "event_name": NAMES[event.action][0],
        "event_timestamp": timestamp(event, hour),
        "anonymous_id": device.anonymous_id if device else None,
        "user_id": customer.user_id if event.is_logged_in else None,
        "email": None,
        "phone": None,
        **event.traits,
        "ip_address": device.ip_address if device else None,
        "user_agent": device.user_agent if device else None,
        "page_url": event.url,
        "sc_cookie1": device.snap_cookie if device else None,
        # Like a JSONB column that was exported as text.
        "click_ids": json.dumps(event.click_ids) if event.click_ids else None,
        "consent": dict(customer.consent) if customer.consent else None,
        "properties": event.properties,
    }


def segment_call(event: ShopEvent, hour: datetime) -> dict[str, Any]:
    """Format an event as a call of the Segment spec, without unknown values."""
    call: dict[str, Any] = {
        "messageId": f"{event.source}-{event.event_id}",
        "timestamp": timestamp(event, hour),
        "anonymousId": event.device.anonymous_id if event.device else None,
        "userId": event.customer.user_id if event.is_logged_in else None,
        "channel": "mobile" if event.source == "app" else "server",
        "context": _segment_context(event),
    }
    if event.action == "identify":
        call |= {"type": "identify", "traits": _segment_traits(event.traits)}
    elif event.action == "screen":
        call |= {"type": "screen", "name": event.properties["screen"], "properties": {}}
    else:
        properties = {"revenue" if name == "value" else name: value for name, value in event.properties.items()}
        call |= {"type": "track", "event": NAMES[event.action][1], "properties": properties}
    return {name: value for name, value in call.items() if value is not None}


def order_row(event: ShopEvent, hour: datetime) -> dict[str, Any]:
    """Format an order without a browser: the body of a cash-on-delivery webhook, or a row of an uploaded CSV."""
    order = event.properties
    row = {
        "event_id": event.event_id,
        "event_name": "cod_order" if event.source == "cod_webhook" else "Order Completed",
        "event_timestamp": timestamp(event, hour),
        "origin": event.source,
        "user_id": event.customer.user_id,
        **event.traits,
    }
    if event.source == "cod_webhook":
        return row | {"properties": order}
    item_ids = ";".join(product["product_id"] for product in order["products"])
    return row | {
        "value": str(order["value"]),
        "currency": order["currency"],
        "order_id": order["order_id"],
        "item_ids": item_ids,
    }


def timestamp(event: ShopEvent, hour: datetime) -> str:
    """Format the event's time in ISO 8601, to the millisecond."""
    return f"{(hour + timedelta(seconds=event.second)).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _segment_context(event: ShopEvent) -> dict[str, Any]:
    context: dict[str, Any] = {"library": {"name": f"sample-{event.source}", "version": "3.1.0"}}
    if event.device and event.device.app:
        context |= event.device.app
    if event.device and (event.device.app or event.url):
        context |= {"ip": event.device.ip_address, "userAgent": event.device.user_agent}
    if event.url:
        context["page"] = {"url": event.url, "referrer": None}
    if event.traits and event.action != "identify":
        context["traits"] = _segment_traits(event.traits)
    if event.customer.consent:
        context["consent"] = {"categoryPreferences": dict(event.customer.consent)}
    return context


def _segment_traits(traits: dict[str, str]) -> dict[str, Any]:
    named = {_SEGMENT_TRAITS.get(name, name): value for name, value in traits.items() if name not in _SEGMENT_ADDRESS}
    address = {_SEGMENT_ADDRESS[name]: value for name, value in traits.items() if name in _SEGMENT_ADDRESS}
    return named | ({"address": address} if address else {})
