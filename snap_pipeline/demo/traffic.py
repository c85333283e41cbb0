"""Sample traffic of a small web shop: the files that land in an hour, always the same for the same hour.

This module decides the volume of an hour, damages some lines, and writes the files. `shop.py` has the shop, `visits.py`
the customers' behaviour, `trackers.py` the formats.
"""

import gzip
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from snap_pipeline.demo.shop import REGULAR_CUSTOMERS, new_customer, regular_customer, seeded
from snap_pipeline.demo.trackers import first_party_row, order_row, segment_call
from snap_pipeline.demo.visits import ShopEvent, Visit, back_office_event, offline_order
from snap_pipeline.hours import floor_hour, format_hour
from snap_pipeline.plurals import quantity

# The fewest events of each hour of the day, in UTC: a quiet night and a busy evening.
_EVENTS_BY_HOUR = (
    60, 50, 43, 36, 38, 44, 54, 67, 78, 86, 91, 95,
    100, 97, 93, 94, 99, 110, 123, 136, 144, 132, 108, 81,
)  # fmt: skip
_PLAIN_TEXT = "502 Bad Gateway: upstream closed the connection"
_ARRAY_LINE = '["page_view", "view_item"]'

_FILES = {"web": "web.ndjson", "app": "app.ndjson.gz", "server": "server.ndjson"}
_ORDERS_FILE = "orders.ndjson"
_IDENTIFIERS = frozenset(
    ("anonymous_id", "user_id", "email", "phone", "ip_address", "user_agent", "sc_cookie1", "click_ids")
)


@dataclass(frozen=True)
class TrafficSummary:
    """The result of `write_traffic`; `written` counts the files that are new or changed."""

    hours: int
    files: int
    written: int
    lines: int

    def __str__(self) -> str:
        return (
            f"{quantity(self.lines, 'line')} in {quantity(self.files, 'file')} of {quantity(self.hours, 'hour')}: "
            f"{quantity(self.written, 'file')} written, {self.files - self.written:,} already there"
        )


def write_traffic(landing: Path, hours: Iterable[datetime], workspace: str = "default") -> TrafficSummary:
    """Write the traffic of hours to `<landing>/<workspace>/<YYYY-MM-DDTHH>/`.

    Files are written atomically. A file with the same content is left untouched, so that it is not read again.
    """
    landed = files = written = lines = 0
    for hour in hours:
        folder = landing / workspace / format_hour(hour)
        landed += 1
        for name, content in hour_files(hour).items():
            files += 1
            written += _write_if_different(folder / name, content)
            lines += _count_lines(name, content)
    return TrafficSummary(landed, files, written, lines)


def hour_files(hour: datetime) -> dict[str, bytes]:
    """Return the files of an hour by name; the same hour always has the same bytes.

    Args:
        hour: any moment of the hour, with a time zone.
    """
    hour = floor_hour(hour)
    rng = seeded("hour", format_hour(hour))
    lines: dict[str, list[str]] = {}
    for event in sorted(_events(rng, hour), key=lambda event: event.second):
        copies = 2 if rng.random() < 0.01 else 1
        lines.setdefault(_FILES.get(event.source, _ORDERS_FILE), []).extend([_line(rng, event, hour)] * copies)
    if rng.random() < 0.15 and "web.ndjson" in lines:
        _break_lines(rng, lines["web.ndjson"])
    return {name: _content(name, lines[name]) for name in sorted(lines)}


def _events(rng: Random, hour: datetime) -> list[ShopEvent]:
    expected = _EVENTS_BY_HOUR[hour.hour]
    customers = [regular_customer(rng.randrange(REGULAR_CUSTOMERS)) for _ in range(3)]
    events = [offline_order(rng, customer) for customer in customers if rng.random() < expected / 1100]
    members = [customer for customer in customers if customer.user_id]
    events += [back_office_event(rng, customer) for customer in members if rng.random() < 0.5]
    while len(events) < expected:
        events += _visit(rng, hour, len(events))
    return events


def _visit(rng: Random, hour: datetime, visit_number: int) -> list[ShopEvent]:
    is_new = rng.random() < 0.25
    # Customers with low numbers visit most often, among them the household with the shared tablet.
    customer_number = int(REGULAR_CUSTOMERS * rng.random() ** 1.5)
    customer = new_customer(format_hour(hour), visit_number) if is_new else regular_customer(customer_number)
    return Visit(rng, customer, rng.choice(customer.devices), is_new=is_new).simulate()


def _line(rng: Random, event: ShopEvent, hour: datetime) -> str:
    if event.source == "web":
        record = first_party_row(event, hour)
        if rng.random() < 0.04:
            record = {name: value for name, value in record.items() if name not in _IDENTIFIERS}
        elif rng.random() < 0.03:
            record["event_timestamp"] = _epoch_milliseconds(record["event_timestamp"])
    elif event.source in ("app", "server"):
        record = segment_call(event, hour)
    else:
        record = order_row(event, hour)
    if rng.random() < 0.05:
        record = _with_numbers_as_text(record)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _epoch_milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)


def _with_numbers_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_numbers_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_numbers_as_text(inner) for inner in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _break_lines(rng: Random, lines: list[str]) -> None:
    """Add lines as a collector writes them that was killed, misconfigured or behind a failing proxy."""
    line = rng.choice(lines)
    for broken in (line[: len(line) // 2], _ARRAY_LINE, _PLAIN_TEXT):
        if rng.random() < 0.7:
            lines.insert(rng.randrange(len(lines) + 1), broken)


def _content(name: str, lines: list[str]) -> bytes:
    content = "".join(f"{line}\n" for line in lines).encode()
    return gzip.compress(content, mtime=0) if name.endswith(".gz") else content


def _count_lines(name: str, content: bytes) -> int:
    return (gzip.decompress(content) if name.endswith(".gz") else content).count(b"\n")


def _write_if_different(path: Path, content: bytes) -> bool:
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_bytes(content)
    draft.replace(path)
    return True
