"""Labels of the report: plain English for the keys of the marts, for readers who do not know the pipeline.

A key without a label is shown as it is, since reasons from Snap are sentences already.
"""

from collections.abc import Mapping

from snap_pipeline.capi.answers import CATALOGUE, Category

PARAMETERS: Mapping[str, str] = {
    "sc_click_id": "Click id",
    "em": "E-mail",
    "ph": "Phone",
    "ip_and_user_agent": "IP address and browser",
    "external_id": "Customer id",
    "sc_cookie1": "Snap Pixel cookie",
    "madid": "Mobile advertising id",
    "idfv": "App vendor's device id",
    "fn": "First name",
    "ln": "Last name",
    "ge": "Gender",
    "ct": "City",
    "st": "State or region",
    "zp": "Postal code",
    "country": "Country",
    "value": "Value",
    "currency": "Currency",
    "content_ids": "Product ids",
    "order_id": "Order id",
}

CONVERSION_TYPES: Mapping[str, str] = {"WEB": "web", "MOBILE_APP": "app", "OFFLINE": "offline"}

ERROR_CATEGORIES: Mapping[str, str] = {
    "refused": "refused",
    "unauthorized": "token invalid",
    "forbidden": "not permitted",
    "not_found": "wrong address or id",
    "too_large": "too large",
    "throttled": "slowed down",
    "server_error": "Snap failed",
    "no_answer": "no answer",
    "no_connection": "no connection",
    "unreadable_answer": "not Snap's answer",
}

REASONS: Mapping[str, str] = {
    "malformed_json": "The line is not JSON",
    "not_an_object": "The line is not a JSON object",
    "not_utf8": "The text is not UTF-8",
    "line_too_long": "The line is too long",
    "unreadable": "The line cannot be read",
    "unprocessable": "The database cannot process the event; its hour was processed without it",
    "not_text": "The file is not text",
    "damaged_gzip": "The gzip file is damaged or cut off",
    "damaged_zstd": "The Zstandard file is damaged or cut off",
    "internal": "No step towards a purchase, such as sessions and identify calls",
    "duplicate_id": "Received twice in its hour; one of them is kept",
    "consent_denied": "Advertising consent was denied",
    "consent_unknown": "Consent is unknown, and the workspace requires it",
    "order_not_completed": "The order is cancelled, refunded, pending, a draft or a test",
    "mapped_to_nothing": "Deliberately not sent, such as refunds and updates of an order",
    "unmapped": "It has no mapping to a Snap event, and the workspace sends mapped events only",
    "no_event_name": "Has no event name",
    "no_timestamp": "Has no time",
    "unreadable_timestamp": "Its time cannot be read",
    "future_timestamp": "Its time is after its hour",
    "forgotten": "The person asked to be forgotten",
    "expired": "Too old for Snap when its turn came",
    "plaintext_found": "A plaintext e-mail address or phone number would go out; report the spelling",
    "insufficient_identifiers": "Carries no identifier by which Snap could match the person",
    "purchase_without_value": "A purchase without value or currency",
    "no_app_id": "An app event, and the destination has no Snap App ID",
    "no_store_app_id": "An app event without its store's app id",
}


def remedy(category: str) -> str:
    """Return the advice for requests that failed with an error of this category."""
    return CATALOGUE[Category(category)].remedy.replace("`", "")
