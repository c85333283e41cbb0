"""Snap's checks of one event, in v3 and v2 (docs/snap-api.md, sections 2 to 4 and 8).

An error message names the field but never its value, which may be personal data. `responses.py` has the limits of a
whole request.
"""

import math
import re
import socket
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

from snap_pipeline.sandbox.names import ACTION_SOURCES, CURRENCIES, EVENT_NAMES, MOBILE_APP, OFFLINE, WEB

DAY_MS = 24 * 3_600_000
MAXIMUM_AGE_MS = 37 * DAY_MS
"""The age limit of all conversions (docs/snap-api.md, section 3.8)."""
MAXIMUM_ONLINE_AGE_MS = 7 * DAY_MS
"""The age limit of WEB and MOBILE_APP events in v3 (docs/snap-api.md, section 3.8)."""
FUTURE_TOLERANCE_MS = 10 * 60_000
"""Tolerance for clocks that run ahead; Snap documents none."""
EXTINFO_SLOTS = 16

HASHED_IN_V3 = frozenset(["em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country", "db"])
PLAIN_IN_V2 = "_sdx"
"""Suffix of v2's Soundex codes, whose names begin with `hashed_` though they are not hashes."""
EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

_is_sha256 = re.compile(r"[0-9a-f]{64}").fullmatch
_is_currency = re.compile(r"[A-Za-z]{3}").fullmatch


class EventRefused(Exception):
    """An event, or a whole body, that Snap would refuse.

    Attributes:
        code: the class of the error. Snap's own codes are not public.
        message: names the field, without its value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Rules:
    """Optional checks, of which it is unknown whether Snap makes them.

    Attributes:
        require_source_url: refuses WEB events without a source URL (docs/snap-api.md, section 11, row 10).
        strict_names: refuses event names and currencies outside Snap's lists (docs/snap-api.md, section 12, row 9).
    """

    require_source_url: bool = False
    strict_names: bool = False


class Conversion(NamedTuple):
    """The fields of a valid event that counting and deduplication use.

    Attributes:
        asset_id: the pixel id or Snap App ID, in lower case.
        event_name: in upper case.
        action_source: WEB, MOBILE_APP or OFFLINE; aliases are resolved.
        event_time: epoch milliseconds.
        event_id: the deduplication id, if any.
        order_id: of a purchase, if any.
    """

    asset_id: str
    event_name: str
    action_source: str
    event_time: int
    event_id: str | None
    order_id: str | None


def read_v3(event: Any, asset_id: str, now: int, rules: Rules) -> Conversion:
    """Check an item of `data` (docs/snap-api.md, sections 3.2 to 3.8).

    Args:
        event: the decoded JSON.
        asset_id: from the path.
        now: epoch milliseconds.
        rules: the optional checks.

    Raises:
        EventRefused: Snap would refuse the event.
    """
    _object(event, "event")
    name = sys.intern(_text(event, "event_name").upper())
    source = _action_source(event, "action_source")
    moment = epoch_milliseconds(event, "event_time")
    _check_age(moment, now, MAXIMUM_AGE_MS if source == OFFLINE else MAXIMUM_ONLINE_AGE_MS)
    _check_user_data(_object(event.get("user_data"), "user_data"), app=source == MOBILE_APP)
    custom = _object(event.get("custom_data") or {}, "custom_data")
    _check_money(name, custom, "value", rules)
    if source == MOBILE_APP:
        _check_app_data(_object(event.get("app_data"), "app_data"))
    if source == WEB and rules.require_source_url:
        _text(event, "event_source_url")
    return Conversion(
        asset_id, name, source, moment, identifier(event.get("event_id")), identifier(custom.get("order_id"))
    )


def read_v2(event: Any, now: int, rules: Rules) -> Conversion:
    """Check a flat record, which names its own asset (docs/snap-api.md, section 2.2).

    Args:
        event: the decoded JSON.
        now: epoch milliseconds.
        rules: the optional checks.

    Raises:
        EventRefused: Snap would refuse the record.
    """
    _object(event, "event")
    name = sys.intern(_text(event, "event_type").upper())
    source = _action_source(event, "event_conversion_type")
    asset_id = sys.intern(_text(event, "snap_app_id" if source == MOBILE_APP else "pixel_id").lower())
    if source == MOBILE_APP:
        _text(event, "app_id")
    moment = epoch_milliseconds(event, "timestamp")
    _check_age(moment, now, MAXIMUM_AGE_MS)
    for field, value in event.items():
        if value is not None and field.startswith("hashed_") and not field.endswith(PLAIN_IN_V2):
            _check_hash(field, value)
    pair = event.get("hashed_ip_address") and event.get("user_agent")
    if not (event.get("hashed_email") or event.get("hashed_phone_number") or event.get("hashed_mobile_ad_id") or pair):
        raise _insufficient()
    _check_money(name, event, "price", rules)
    if source == WEB and rules.require_source_url:
        _text(event, "page_url")
    return Conversion(
        asset_id,
        name,
        source,
        moment,
        identifier(event.get("client_dedup_id")),
        identifier(event.get("transaction_id")),
    )


def identifier(value: Any) -> str | None:
    """Return an id as text; Snap's own sample has a JSON number as id (docs/snap-api.md, section 3.2)."""
    return str(value) if value not in (None, "") else None


def epoch_milliseconds(event: dict[str, Any], field: str) -> int:
    """Return a time in epoch milliseconds; it may be in seconds, and text (docs/snap-api.md, section 3.2).

    Raises:
        EventRefused: the field is missing or not an integer.
    """
    value = event.get(field)
    if value is None:
        raise _missing(field)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise EventRefused("INVALID_TIMESTAMP", f"Invalid timestamp: {field} is not an epoch integer")
    return value if value >= 1_000_000_000_000 else value * 1000


def _object(value: Any, field: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if value is None:
        raise _missing(field)
    raise EventRefused("INVALID_FIELD", f"Invalid {field}: expected an object")


def _text(event: dict[str, Any], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not value:
        raise _missing(field)
    return value


def _missing(field: str) -> EventRefused:
    return EventRefused("MISSING_REQUIRED_FIELD", f"Missing required field: {field}")


def _insufficient() -> EventRefused:
    return EventRefused(
        "INSUFFICIENT_PII",
        "Insufficient PII: an e-mail, a phone, an IP address with user agent, or a mobile ad id is needed",
    )


def _action_source(event: dict[str, Any], field: str) -> str:
    source = ACTION_SOURCES.get(_text(event, field).upper())
    if source is None:
        raise EventRefused("INVALID_FIELD", f"Invalid {field}: expected WEB, MOBILE_APP or OFFLINE")
    return source


def _check_age(moment: int, now: int, maximum: int) -> None:
    if now - moment > maximum:
        raise EventRefused("INVALID_TIMESTAMP", f"Timestamp out of range: more than {maximum // DAY_MS} days old")
    if moment - now > FUTURE_TOLERANCE_MS:
        raise EventRefused("INVALID_TIMESTAMP", "Timestamp out of range: in the future")


def _check_user_data(user: dict[str, Any], *, app: bool) -> None:
    """Check hashes, IP address, and that one match set is complete (docs/snap-api.md, sections 3.4 and 8)."""
    for field, value in user.items():
        if value is not None and field in HASHED_IN_V3:
            _check_hash(field, value)
    address = user.get("client_ip_address")
    if address and not _is_ip_address(address):
        raise EventRefused(
            "INVALID_IP_ADDRESS", "Invalid user_data.client_ip_address: expected a plain IPv4 or IPv6 address"
        )
    pair = address and user.get("client_user_agent")
    if not (user.get("em") or user.get("ph") or pair or (app and user.get("madid"))):
        raise _insufficient()


def _check_hash(field: str, value: Any) -> None:
    if type(value) is str and value != EMPTY_HASH and _is_sha256(value):
        return
    for hashed in value if isinstance(value, list) else (value,):
        if not isinstance(hashed, str) or not _is_sha256(hashed):
            raise EventRefused("UNHASHED_PII", f"Unhashed PII in {field}: expected SHA-256 as 64 lower-case hex digits")
        if hashed == EMPTY_HASH:
            raise EventRefused("INSUFFICIENT_PII", f"Invalid {field}: the SHA-256 of an empty string")


def _is_ip_address(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _check_money(name: str, fields: dict[str, Any], amount: str, rules: Rules) -> None:
    """Check that a purchase has an amount and a currency (docs/snap-api.md, sections 2.2 and 3.5)."""
    currency = fields.get("currency")
    if name == "PURCHASE":
        if not _is_amount(fields.get(amount)):
            raise EventRefused("INVALID_PURCHASE", f"PURCHASE needs {amount}, a number that is not negative")
        if not isinstance(currency, str) or not _is_currency(currency):
            raise EventRefused("INVALID_PURCHASE", "PURCHASE needs currency, an ISO 4217 code")
    if rules.strict_names:
        if name not in EVENT_NAMES:
            raise EventRefused("INVALID_FIELD", "Unknown event name")
        if currency is not None and str(currency).upper() not in CURRENCIES:
            raise EventRefused("INVALID_FIELD", "Unknown currency")


def _is_amount(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return math.isfinite(number) and number >= 0


def _check_app_data(app_data: dict[str, Any]) -> None:
    extinfo = app_data.get("extinfo")
    if extinfo is None:
        raise _missing("app_data.extinfo")
    if (
        not isinstance(extinfo, list)
        or len(extinfo) != EXTINFO_SLOTS
        or not all(isinstance(slot, str) for slot in extinfo)
    ):
        raise EventRefused("INVALID_FIELD", f"Invalid app_data.extinfo: expected {EXTINFO_SLOTS} strings")
