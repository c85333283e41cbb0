"""Scores of an asset's events, such as Snap might give them: its fields and weights are not public.

The scores derive from the shares of events that carry an identifier, with weights of the sandbox's own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from snap_pipeline.sandbox.event_store import EventStore

MAXIMUM_EVENTS = 5_000
"""The newest events of an asset that are scored; each body has to be decoded."""

IDENTIFIERS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "em": (0.3, ("em", "hashed_email")),
    "ph": (0.2, ("ph", "hashed_phone_number", "hashed_phone")),
    "sc_click_id": (0.25, ("sc_click_id", "click_id")),
    "ip_and_user_agent": (0.15, ("client_user_agent", "user_agent")),
    "external_id": (0.1, ("external_id",)),
}
"""The weight of each identifier, and its fields in v3 and v2."""


def score_events(store: EventStore, asset_id: str | None) -> list[dict[str, Any]]:
    """Return the scores from 0 to 10 of an asset, by event name, action source and event source."""
    carried: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for group, identifiers in _events(store, asset_id):
        carried[group]["events"] += 1
        carried[group].update(identifiers)
    return [_score(*group, counts) for group, counts in sorted(carried.items())]


def _events(store: EventStore, asset_id: str | None) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    newest = (event for event in reversed(store.events) if event.conversion.asset_id == asset_id)
    for event in islice(newest, MAXIMUM_EVENTS):
        details = store.describe(event)
        fields = details["event"] | (details["event"].get("user_data") or {})
        source = "API" if "server" in details["sources"] else "SDK"
        group = (event.conversion.event_name, event.conversion.action_source, source)
        yield group, [name for name, (_, keys) in IDENTIFIERS.items() if any(fields.get(key) for key in keys)]


def _score(event_name: str, action_source: str, event_source: str, counts: Mapping[str, int]) -> dict[str, Any]:
    shares = {name: counts.get(name, 0) / counts["events"] for name in IDENTIFIERS}
    missing = sorted((name for name in IDENTIFIERS if shares[name] < 0.5), key=lambda name: -IDENTIFIERS[name][0])
    return {
        "event_name": event_name,
        "action_source": action_source,
        "event_source": event_source,
        "event_quality_score": round(10 * sum(weight * shares[name] for name, (weight, _) in IDENTIFIERS.items()), 2),
        "recommendations": [{"priority": f"P{min(rank, 2)}", "parameter": name} for rank, name in enumerate(missing)],
    }
