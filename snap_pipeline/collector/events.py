"""Changes to posted events: a missing id, times by the collector's clock, and keys that only servers may set.

All else lands as it was posted; docs/events.md says how the pipeline reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from snap_pipeline.collector.bodies import BodyTooLarge, as_line
from snap_pipeline.collector.sources import Source
from snap_pipeline.collector.visitors import Event, take_from_connection

MAXIMUM_EVENTS = 10_000
"""The most events of a body; libraries post batches of 100 or so."""
SHARED_KEYS = ("context", "integrations", "sentAt")
"""Keys of a body that its events have too, unless they say it themselves."""
BODY_KEYS = ("batch", "events")
NAME_KEYS = ("event_name", "event", "name", "type")
ID_KEYS = ("messageId", "event_id")
TIME_KEYS = ("timestamp", "event_timestamp", "originalTimestamp")
"""Keys of an event's time, in the order in which the pipeline reads them."""
ID_NAMESPACE = UUID("6d3c1f0e-54f7-4f0b-9f0c-6c1f2b7f4c0a")
CLOCK_TOLERANCE = timedelta(seconds=60)
DATE_CHARACTERS = 10
TYPES = {
    "t": "track",
    "track": "track",
    "p": "page",
    "page": "page",
    "s": "screen",
    "screen": "screen",
    "i": "identify",
    "identify": "identify",
    "g": "group",
    "group": "group",
    "a": "alias",
    "alias": "alias",
}
"""The type of an event by the last part of the path to which libraries post it."""


@dataclass(frozen=True)
class Arrival:
    """The arrival of a request at the collector.

    Attributes:
        source: the source of its write key.
        received: the time by the collector's clock.
        address: the sender's IP address.
        user_agent: the request's header.
        type: the type of its events, from its path; None for batches.
    """

    source: Source
    received: datetime
    address: str
    user_agent: str
    type: str | None


def events_in(body: Any) -> list[Any]:
    """Return the events of a body, those of nested lists and bodies included.

    The pipeline takes lists and bodies in landed lines apart as well, so none may get past `stamp` untouched.

    Raises:
        BodyTooLarge: there are too many.
    """
    found: list[Any] = []
    pending: list[tuple[Any, Event]] = [(body, {})]
    while pending:
        item, shared = pending.pop()
        if isinstance(item, dict):
            item = _with_shared(item, shared)
        items = _listed_in(item)
        if items is None:
            found.append(item)
            continue
        if len(found) + len(pending) + len(items) > MAXIMUM_EVENTS:
            raise BodyTooLarge
        if isinstance(item, dict):
            shared = {key: item[key] for key in SHARED_KEYS if item.get(key) is not None}
        pending += [(each, shared) for each in reversed(items)]
    return found


def stamp(events: Iterable[Any], arrival: Arrival) -> list[Any]:
    """Complete events in place, and return them. Values that are no objects stay; the pipeline quarantines them."""
    received_at = _iso(arrival.received)
    stamped = []
    for position, event in enumerate(events):
        if isinstance(event, dict):
            event.pop("writeKey", None)
            if not any(_is_filled(event.get(key)) for key in ID_KEYS):
                event["messageId"] = _derived_id(event, position, arrival)
            if arrival.source.kind == "web":
                take_from_connection(event, arrival.address, arrival.user_agent)
            if arrival.type is not None and event.get("type") is None:
                event["type"] = arrival.type
            _correct_time(event, arrival.received)
            event["receivedAt"] = received_at
        stamped.append(event)
    return stamped


def _listed_in(item: Any) -> list[Any] | None:
    """Return the members of a list, or the events of a body; None for anything else.

    `is_body_of_events` in lake/sql/macros/json.sql tells bodies from events in the same way.
    """
    if isinstance(item, list):
        return item
    if not isinstance(item, dict) or any(item.get(key) is not None for key in NAME_KEYS):
        return None
    lists = [item[key] for key in BODY_KEYS if isinstance(item.get(key), list)]
    return [event for each in lists for event in each] if lists else None


def _with_shared(event: Event, shared: Event) -> Event:
    """Return an event with the shared keys of its body that are missing or null in the event."""
    if not shared:
        return event
    merged = event | {key: value for key, value in shared.items() if event.get(key) is None}
    own, common = event.get("context"), shared.get("context")
    if isinstance(own, dict) and isinstance(common, dict):
        merged["context"] = common | {key: value for key, value in own.items() if value is not None}
    return merged


def _is_filled(value: object) -> bool:
    return value is not None and str(value).strip() != ""


def _derived_id(event: Event, position: int, arrival: Arrival) -> str:
    """Return an id that is the same if the request is posted again, with another `sentAt`."""
    content = as_line({key: value for key, value in event.items() if key != "sentAt"}).decode()
    sender = [arrival.source.name]
    if arrival.source.kind == "web":  # visitors may post the same event without saying who they are
        sender += [arrival.address, arrival.user_agent]
    return str(uuid5(ID_NAMESPACE, "\n".join((*sender, str(position), content))))


def _correct_time(event: Event, received: datetime) -> None:
    """Correct an event's time by the offset of the sender's clock, which `sentAt` tells; a missing time is now."""
    given = next((event[key] for key in TIME_KEYS if event.get(key)), None)
    if given is None:
        event["timestamp"] = _iso(received)
        return
    sent = _moment(event.get("sentAt"))
    if sent is None or abs(received - sent) <= CLOCK_TOLERANCE:
        return
    happened = _moment(given)
    if happened is None:
        return
    try:
        corrected = _iso(happened + (received - sent))
    except OverflowError:  # before the year 1, or after 9999
        return
    event["originalTimestamp"] = given
    event["timestamp"] = corrected


def _moment(text: object) -> datetime | None:
    """Read a time as libraries write it, ISO 8601 with a time of day; None for anything else."""
    if not isinstance(text, str) or len(text) <= DATE_CHARACTERS:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
