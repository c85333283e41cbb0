"""The checks of a destination's fields. Each returns the value in the form that is stored.

Conditions on other destinations, such as a name that is in use, are checked by the store.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any, TypedDict
from urllib.parse import SplitResult, urlsplit

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.capi.limits import MAXIMUM_REQUESTS_PER_MINUTE, OFFLINE_AGE_DAYS
from snap_pipeline.destinations.destination_errors import InvalidDestination
from snap_pipeline.hours import HourError, format_hour, parse_hour

NAME = re.compile(r"[^\W_]([\w .-]{0,62}[\w.-])?")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IOS_APP_ID = re.compile(r"[0-9]{5,20}", re.ASCII)
ANDROID_APP_ID = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
LONG_LIVED_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
LONG_LIVED_TOKEN_CHARACTERS = 100
"""The shortest length of a token that is not warned of; JSON Web Tokens are longer."""
MAXIMUM_PACKAGE_CHARACTERS = 255
MAXIMUM_TOKEN_CHARACTERS = 4_096
MAXIMUM_URL_CHARACTERS = 2_048


class Changes(TypedDict, total=False):
    """The fields of a destination that can be changed; an app's id of None removes it."""

    api_version: ApiVersion
    since: str
    snap_app_id: str | None
    ios_app_id: str | None
    android_app_id: str | None
    base_url: str
    requests_per_minute: int
    web_age_days: int
    offline_age_days: int


def check_changes(changes: Changes) -> dict[str, Any]:
    """Check changes, and return them in the form that is stored.

    Raises:
        InvalidDestination: one of them cannot be used.
    """
    checks: dict[str, Callable[[Any], Any]] = {
        "api_version": check_api_version,
        "since": check_since,
        "snap_app_id": lambda text: None if text is None else check_uuid(text, "Snap App ID"),
        "ios_app_id": lambda text: None if text is None else check_ios_app_id(text),
        "android_app_id": lambda text: None if text is None else check_android_app_id(text),
        "base_url": check_base_url,
        "requests_per_minute": check_requests_per_minute,
        "web_age_days": lambda days: check_age_days(days, "web and app events"),
        "offline_age_days": lambda days: check_age_days(days, "offline events"),
    }
    return {key: checks[key](value) for key, value in changes.items()}


def check_name(name: str) -> str:
    """Check for a name of 1 to 64 letters of any script, digits, blanks, dots, dashes and underscores.

    Raises:
        InvalidDestination: it is anything else.
    """
    if not NAME.fullmatch(name):
        raise InvalidDestination(
            "The name must have 1 to 64 letters, digits, blanks, dots, dashes or underscores, a letter or digit first "
            "and no blank last."
        )
    return name


def check_workspace(workspace: str, known: tuple[str, ...]) -> str:
    """Check for a workspace that is configured.

    Raises:
        InvalidDestination: it is not configured.
    """
    if workspace not in known:
        raise InvalidDestination(
            f"There is no workspace {workspace[:64]!r}; there are: {', '.join(known)}. "
            "Add a table of that name to workspaces.toml first."
        )
    return workspace


def check_uuid(text: str, label: str) -> str:
    """Check for a UUID, and return it in lower case.

    Args:
        text: as the user gave it.
        label: the name of the field, such as `Pixel ID`.

    Raises:
        InvalidDestination: it is not a UUID.
    """
    if not UUID.fullmatch(text.lower()):
        raise InvalidDestination(
            f"The {label} must be a UUID such as 11111111-2222-4333-8444-555555555555; copy it from Events Manager."
        )
    return text.lower()


def check_ios_app_id(text: str) -> str:
    """Check for an app's number in the App Store, and return its digits.

    Raises:
        InvalidDestination: it is anything else, such as a bundle id.
    """
    digits = text.strip().lower().removeprefix("id")
    if not IOS_APP_ID.fullmatch(digits):
        raise InvalidDestination(
            "The iOS app id must be the app's number in the App Store, such as 447188370: the digits after `id` in its "
            "address there. A bundle id such as com.example.shop is not it."
        )
    return digits


def check_android_app_id(text: str) -> str:
    """Check for an app's package name.

    Raises:
        InvalidDestination: it is anything else.
    """
    if not ANDROID_APP_ID.fullmatch(text.strip()) or len(text) > MAXIMUM_PACKAGE_CHARACTERS:
        raise InvalidDestination(
            "The Android app id must be the app's package name, such as com.example.shop: the `id` in its address in "
            "Google Play."
        )
    return text.strip()


def check_api_version(version: str) -> str:
    """Check for the name of an API version.

    Raises:
        InvalidDestination: there is no such version.
    """
    if version not in DIALECTS:
        raise InvalidDestination(f"The API version must be {' or '.join(DIALECTS)}.")
    return version


def check_base_url(url: str) -> str:
    """Check for an https address without credentials, query and fragment; http is for this machine only.

    Raises:
        InvalidDestination: it is anything else. The message does not repeat it, since it may hold a password.
    """
    parts = _split(url)
    if parts is None or not parts.hostname or any(character in url for character in "@?#"):
        raise InvalidDestination(
            "The base URL must be an address such as https://tr.snapchat.com, without credentials, query or fragment."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise InvalidDestination("The base URL must begin with https://; http is allowed on this machine only.")
    return url.rstrip("/")


def check_requests_per_minute(number: int) -> int:
    """Check for 1 to 60,000 requests a minute.

    Raises:
        InvalidDestination: it is less or more.
    """
    if not 1 <= number <= MAXIMUM_REQUESTS_PER_MINUTE:
        raise InvalidDestination(f"The requests a minute must be between 1 and {MAXIMUM_REQUESTS_PER_MINUTE:,}.")
    return number


def check_age_days(days: int, events: str) -> int:
    """Check for an age limit of 1 to 37 days.

    Web and app events may have limits above 7 days as well: Snap's own page names 37 days for all events, and only
    other sources say that v3 takes these for 7 (snap-api.md, section 11, row 1), so that an account may differ. Snap
    reports no event that is older than 37 days, whatever its source.

    Args:
        days: as the user gave it.
        events: the kind of events, for the message.

    Raises:
        InvalidDestination: it is less or more.
    """
    if not 1 <= days <= OFFLINE_AGE_DAYS:
        raise InvalidDestination(f"The age limit of {events} must be 1 to {OFFLINE_AGE_DAYS} whole days.")
    return days


def check_since(key: str) -> str:
    """Check for an hour, and return it in the form `2026-11-23T14`.

    Raises:
        InvalidDestination: it is not an hour.
    """
    try:
        return format_hour(parse_hour(key))
    except HourError:
        raise InvalidDestination("The first hour that it receives must be in UTC, like 2026-11-23T14.") from None


def check_token(token: AccessToken, base_url: str) -> list[str]:
    """Check for an access token, and return warnings if it does not look like a long-lived one of Snap.

    Long-lived tokens of the Conversions API are JSON Web Tokens: three parts with dots (snap-api.md, section 2.1). The
    sandbox, on this machine, has its own.

    Raises:
        InvalidDestination: it is empty, too long, or holds blanks, line ends or other than ASCII.
    """
    text = token.reveal()
    if not text or len(text) > MAXIMUM_TOKEN_CHARACTERS or not all("!" <= character <= "~" for character in text):
        raise InvalidDestination(
            f"The access token must be one line of at most {MAXIMUM_TOKEN_CHARACTERS:,} ASCII characters without "
            "blanks; copy it again from Ads Manager."
        )
    if is_this_machine(base_url) or (LONG_LIVED_TOKEN.fullmatch(text) and len(text) >= LONG_LIVED_TOKEN_CHARACTERS):
        return []
    return [
        "The access token does not look like a long-lived one. Those are made in Ads Manager under Business Details, "
        "have three parts with dots between, and do not expire."
    ]


def is_this_machine(url: str) -> bool:
    """Tell whether a base URL leads to this machine, as that of the sandbox does."""
    parts = _split(url)
    return parts is not None and _is_loopback(parts.hostname or "")


def _split(url: str) -> SplitResult | None:
    """Split a URL; None if it has characters that parsers disagree about, or an invalid port."""
    if len(url) > MAXIMUM_URL_CHARACTERS or "\\" in url or not all("!" <= character <= "~" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
