"""Labels of the report: plain English for the keys of the marts, for readers who do not know the pipeline.

A key without a label is shown as it is, since reasons from Snap are sentences already.
"""

from collections.abc import Mapping

from snap_pipeline.capi.answers import CATALOGUE, Category
from snap_pipeline.destinations.health import Badge
from snap_pipeline.lake.match_fields import MATCH_FIELDS
from snap_pipeline.reasons import WORDS

PARAMETERS: Mapping[str, str] = {
    **{field.payload: field.label for field in MATCH_FIELDS if field.is_scored},
    "ip_and_user_agent": "IP address and browser",
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

BADGES: Mapping[str, str] = {
    Badge.PAUSED: "paused",
    Badge.UNAUTHORIZED: "token refused",
    Badge.FAILING: "failing",
    Badge.BEHIND: "behind",
    Badge.LIVE: "live",
}

REASONS: Mapping[str, str] = WORDS


def conversion_types(keys: str) -> str:
    """Name the conversion types of a list that is separated by blanks."""
    return ", ".join(CONVERSION_TYPES.get(key, key) for key in keys.split())


def remedy(category: str) -> str:
    """Return the advice for requests that failed with an error of this category."""
    return CATALOGUE[Category(category)].remedy
