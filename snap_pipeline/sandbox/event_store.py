"""The counted events: events after deduplication, as Snap would report them (docs/snap-api.md, section 5).

Bodies are kept in an unnamed temporary file and decoded only when whole events are requested: a million decoded events
would fill the memory of a small machine.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from snap_pipeline.sandbox.event_rules import DAY_MS, Conversion

Source = Literal["server", "pixel"]

EVENT_ID_WINDOW_MS = 2 * DAY_MS
ORDER_ID_WINDOW_MS = 30 * DAY_MS


@dataclass(slots=True)
class CountedEvent:
    """One conversion, counted once for all its copies.

    Attributes:
        conversion: of the first copy.
        arrived: time of the first copy, in epoch milliseconds of the sandbox's clock.
        copies: the number of the body and the position in it, of each copy.
    """

    conversion: Conversion
    arrived: int
    copies: list[tuple[int, int]]

    def is_copied_by(self, other: Conversion, now: int, window: int) -> bool:
        """Tell whether an event that arrives now is a copy of this one.

        It is unknown if Snap measures its window from the event's time or from its arrival (docs/snap-api.md, section
        12, row 7), so a copy has to be within both.
        """
        return now - self.arrived <= window and abs(other.event_time - self.conversion.event_time) <= window


class _Body(NamedTuple):
    offset: int
    length: int
    source: Source
    api_version: str | None


@dataclass
class EventStore:
    """The events of all assets, in the order of their arrival."""

    events: list[CountedEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_event_id: dict[tuple[str, str, str], CountedEvent] = {}
        self._by_order_id: dict[tuple[str, str], CountedEvent] = {}
        self._bodies: list[_Body] = []
        self._end = 0
        self._file = tempfile.TemporaryFile(prefix="snap-sandbox-", buffering=0)  # noqa: SIM115 - lives as long as the store
        self._decoded = lru_cache(maxsize=8)(self._decode)

    def count(
        self,
        body: bytes,
        accepted: Sequence[tuple[int, Conversion]],
        now: int,
        *,
        source: Source = "server",
        api_version: str | None = None,
    ) -> None:
        """Count the events of a request; a copy of an earlier event is added to that event.

        Args:
            body: as received.
            accepted: the position in the body and the conversion, of each event.
            now: epoch milliseconds.
            source: the reporter of the events.
            api_version: of the endpoint; None for the pixel.
        """
        if not accepted:
            return
        number = len(self._bodies)
        self._bodies.append(_Body(self._end, len(body), source, api_version))
        self._end += self._file.write(body)
        for position, conversion in accepted:
            event = self._find_original(conversion, now)
            if event is None:
                self._add(conversion, now, (number, position))
            else:
                event.copies.append((number, position))

    def _find_original(self, copy: Conversion, now: int) -> CountedEvent | None:
        if copy.event_id is not None:
            event = self._by_event_id.get((copy.asset_id, copy.event_name, copy.event_id))
            if event is not None and event.is_copied_by(copy, now, EVENT_ID_WINDOW_MS):
                return event
        if copy.order_id is not None and copy.event_name == "PURCHASE":
            event = self._by_order_id.get((copy.asset_id, copy.order_id))
            if event is not None and event.is_copied_by(copy, now, ORDER_ID_WINDOW_MS):
                return event
        return None

    def _add(self, conversion: Conversion, now: int, place: tuple[int, int]) -> None:
        event = CountedEvent(conversion, now, [place])
        self.events.append(event)
        if conversion.event_id is not None:
            self._by_event_id[conversion.asset_id, conversion.event_name, conversion.event_id] = event
        if conversion.order_id is not None and conversion.event_name == "PURCHASE":
            self._by_order_id[conversion.asset_id, conversion.order_id] = event

    def close(self) -> None:
        """Release the bodies' disk space."""
        self._file.close()

    def of_asset(self, asset_id: str | None) -> Iterator[CountedEvent]:
        """Return the events of one asset, or of all."""
        return (event for event in self.events if asset_id is None or event.conversion.asset_id == asset_id)

    def describe(self, event: CountedEvent) -> dict[str, Any]:
        """Return all details of an event; `event` has the fields of all copies, the first copy's values first."""
        conversion = event.conversion
        bodies = [self._bodies[number] for number, _ in event.copies]
        merged: dict[str, Any] = {}
        for number, position in event.copies:
            merged = _merge_fields(merged, self._decoded(number)[position])
        return {
            **describe_ids(event),
            "action_source": conversion.action_source,
            "event_time": conversion.event_time,
            "order_id": conversion.order_id,
            "api_version": bodies[0].api_version,
            "sources": list(dict.fromkeys(body.source for body in bodies)),
            "event": merged,
        }

    def _decode(self, number: int) -> list[dict[str, Any]]:
        body = self._bodies[number]
        return parse_records(json.loads(os.pread(self._file.fileno(), body.length, body.offset)))


def describe_ids(event: CountedEvent) -> dict[str, Any]:
    """Return the ids of an event, and how often it was received."""
    conversion = event.conversion
    return {
        "asset_id": conversion.asset_id,
        "event_name": conversion.event_name,
        "event_id": conversion.event_id,
        "received": len(event.copies),
    }


def parse_records(decoded: Any) -> list[Any]:
    """Return a body's records: v3's envelope, an array, or one object (docs/snap-api.md, sections 2.1 and 3.1)."""
    if isinstance(decoded, dict):
        decoded = decoded.get("data", [decoded])
    return decoded if isinstance(decoded, list) else [decoded]


def _merge_fields(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merge_fields(first[key], value)
        for key, value in second.items()
        if isinstance(value, dict) and isinstance(first.get(key), dict)
    }
    return second | first | both
