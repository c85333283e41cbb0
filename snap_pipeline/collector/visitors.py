"""Keys of an event that a visitor's browser must not choose, since only the site's servers know them.

They would give the event another IP address, make it OFFLINE, or count it as forgotten. The pipeline reads them under
several names and in several places (`lake/sql/raw_events.sql`).
"""

import csv
from functools import cache, lru_cache
from typing import Any

from snap_pipeline.collector.bodies import UnreadableBody, read_json
from snap_pipeline.project_files import SEEDS

Event = dict[str, Any]

FOLDED = str.maketrans({"_": None, "-": None, " ": None, "İ": "i"})


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    """Return a name without case and separators."""
    return name.translate(FOLDED).lower()


ADDRESS_KEYS = frozenset({"ip", "ipaddress", "clientipaddress", "hashedipaddress", "requestip"})
SERVER_ONLY_KEYS = ADDRESS_KEYS | {_folded("_forgotten")}
CHANNEL_KEYS = frozenset({"origin", "channel", "actionsource", "eventconversiontype"})
"""Keys that say where an event happened; only words for a web site or an app are kept."""
ONLINE_TYPES = frozenset({"WEB", "MOBILE_APP"})


def take_from_connection(event: Event, address: str, user_agent: str) -> None:
    """Remove keys that a visitor must not choose, in place, and set the IP address of the connection.

    Args:
        event: the posted event.
        address: the visitor's IP address. It is set at the top level, which the pipeline prefers to all other places.
        user_agent: of the request, for events without one.
    """
    _remove(event, SERVER_ONLY_KEYS)
    event["ip_address"] = address
    if (properties := event.get("properties")) is not None:
        if isinstance(properties, str):
            properties = _object_in(properties)
        if isinstance(properties, dict):
            _remove(properties, ADDRESS_KEYS)
        event["properties"] = properties
    context = event.get("context")
    context = dict(context) if isinstance(context, dict) else {}  # events of a batch share it
    _remove(context, ADDRESS_KEYS)
    if not context.get("userAgent") and user_agent:
        context["userAgent"] = user_agent
    if context or "context" in event:
        event["context"] = context


def _remove(place: Event, keys: frozenset[str]) -> None:
    for name in list(place):
        folded = _folded(name)
        if folded in keys or (folded in CHANNEL_KEYS and not _is_online(place[name])):
            del place[name]


def _object_in(text: str) -> Event | None:
    """Return the object of a JSON text, as the pipeline reads properties; None for any other text."""
    try:
        found = read_json(text.encode("utf-8", "replace"))
    except UnreadableBody:
        return None
    return found if isinstance(found, dict) else None


def _is_online(word: object) -> bool:
    return isinstance(word, str) and _folded(word) in _online_words()


@cache
def _online_words() -> frozenset[str]:
    with (SEEDS / "action_sources.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(_folded(row["word"]) for row in csv.DictReader(file) if row["conversion_type"] in ONLINE_TYPES)
