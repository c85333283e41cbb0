"""What the collector changes in an event: an id, its times by the collector's clock, and what only a server knows.

All else lands as it was posted; the pipeline reads it (docs/events.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from snap_pipeline.collector.sources import Source

Event = dict[str, Any]

ID_NAMES = ("messageId", "message_id", "event_id", "eventId", "id")
CLOCK_TOLERANCE = timedelta(seconds=60)
NOT_OF_A_VISITOR = frozenset({"origin", "ip_address", "ipAddress", "request_ip", "ip", "_forgotten", "receivedAt"})
"""Keys that browsers must not choose: they would make an event OFFLINE, move it elsewhere, or count as forgotten."""
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
    """How a request reached the collector.

    Attributes:
        source: whose key it has.
        received: the collector's time.
        address: the visitor's IP address.
        user_agent: as the connection gave it.
        type: of its events, from its path; None for batches.
    """

    source: Source
    received: datetime
    address: str
    user_agent: str
    type: str | None


def events_in(body: Any) -> list[Any]:
    """Return the events of a body: of its list `batch`, of itself where it is a list, or itself alone."""
    if isinstance(body, list):
        return body
    if isinstance(body, dict) and isinstance(body.get("batch"), list):
        shared = {name: body[name] for name in ("context", "sentAt") if name in body}
        return [_with_shared(event, shared) for event in body["batch"]]
    return [body]


def stamp(events: Iterable[Any], arrival: Arrival) -> list[Any]:
    """Complete events in place, and return them. What is no object stays as it is; the pipeline quarantines it."""
    received_at = _iso(arrival.received)
    stamped = []
    for event in events:
        if isinstance(event, dict):
            if arrival.source.kind == "web":
                _take_from_connection(event, arrival)
            if arrival.type is not None:
                event.setdefault("type", arrival.type)
            if not any(event.get(name) for name in ID_NAMES):
                event["messageId"] = str(uuid4())
            _correct_time(event, arrival.received)
            event["receivedAt"] = received_at
        stamped.append(event)
    return stamped


def _with_shared(event: Any, shared: Event) -> Any:
    """Give an event of a batch what the batch says of all of them; its own words win."""
    if not isinstance(event, dict) or not shared:
        return event
    merged = shared | event
    if isinstance(shared.get("context"), dict) and isinstance(event.get("context"), dict):
        merged["context"] = shared["context"] | event["context"]
    return merged


def _take_from_connection(event: Event, arrival: Arrival) -> None:
    for name in NOT_OF_A_VISITOR & event.keys():
        del event[name]
    context = event.get("context")
    context = event["context"] = dict(context) if isinstance(context, dict) else {}
    context["ip"] = arrival.address
    if not context.get("userAgent") and arrival.user_agent:
        context["userAgent"] = arrival.user_agent


def _correct_time(event: Event, received: datetime) -> None:
    """Move an event's time by what the sender's clock is off, as told by `sentAt`; without a time, it is now.

    Other spellings of the time (docs/events.md) are those of servers, whose clocks are right.
    """
    given = event.get("timestamp")
    if not given:
        if not any(event.get(name) for name in ("event_timestamp", "originalTimestamp")):
            event["timestamp"] = _iso(received)
            return
        given = event.get("originalTimestamp")
    sent, happened = _moment(event.get("sentAt")), _moment(given)
    if sent is None or happened is None or abs(received - sent) <= CLOCK_TOLERANCE:
        return
    event["originalTimestamp"] = given
    event["timestamp"] = _iso(happened + (received - sent))


def _moment(text: object) -> datetime | None:
    """Read a time as libraries write it, ISO 8601; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
