"""The trace of one event: from the file and line it landed in to its receipt, or the reason it has none."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from snap_pipeline.delivery.event_status import PayloadStates, is_in_scope
from snap_pipeline.delivery.ledger import Ledger, rows_of
from snap_pipeline.delivery.request_bodies import select_bodies
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone, as_text
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.raw import lines_of_events, read_listings
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.reasons import with_words

WITH_ROW_NUMBERS = "file_row_number = true"

FIND_EVENTS = """
    select hour, workspace, event_id, event_name, source_file, file_row_number, event_time
    from (
        select *,
            coalesce(
                order_id, properties ->> 'order_id', properties ->> 'orderId', properties ->> 'transaction_id'
            ) as any_order_id
        from {raw_events}
    )
    where event_id in ($id, sha256($id)) or any_order_id = $id
    order by hour, source_file, file_row_number
"""

# Rows of a file are in the order of its lines.
LOCATE_EVENT = """
    select count(*)
    from {raw_events}
    where source_file = $source_file and file_row_number <= $row
"""

# The Snap event name of one event, or the reason why it is excluded. Of the events with one id, conversions are found
# by their row and the others by their order, which excluded_events keeps.
FIND_VERDICT = """
    with events as (
        select landed.file_row_number, kept.snap_event_name
        from {raw_events} as landed
        left join {filtered_events} as kept
            on landed.file_row_number = kept.landed_row
            and landed.source_file = kept.source_file
            and landed.event_id = kept.event_id
        where landed.workspace = $workspace and landed.event_id = $event_id
    ),

    numbered_events as (
        select *, count(*) filter (where snap_event_name is null) over (order by file_row_number) as number
        from events
    ),

    numbered_reasons as (
        select reason, row_number() over (order by file_row_number) as number
        from {excluded_events}
        where workspace = $workspace and event_id = $event_id
    )

    select snap_event_name, case when snap_event_name is null then reason end
    from numbered_events
    left join numbered_reasons using (number)
    where file_row_number = $row
"""


@dataclass(frozen=True)
class DeliveryTrace:
    """Outcome of an event at one destination.

    Attributes:
        destination: its name.
        status: the delivery state with its reason, or why there is none yet.
        batch_id: of the batch with which it was settled.
        http_status: of Snap's answer to that batch.
        sent_at: the time of the batch's first request, in UTC.
        body: the event as JSON, made from its payload as for sending; only if it was asked for.
        answer: Snap's answer to the last request of that batch; only if it was asked for.
    """

    destination: str
    status: str
    batch_id: str | None = None
    http_status: int | None = None
    sent_at: datetime | None = None
    body: str | None = None
    answer: str | None = None

    def lines(self) -> Iterator[str]:
        """Yield the text for people."""
        batch = f", batch {self.batch_id}, HTTP {self.http_status}" if self.batch_id else ""
        sent = f", sent {self.sent_at:%Y-%m-%d %H:%M:%S} UTC" if self.sent_at else ""
        yield f"  {self.destination}: {self.status}{batch}{sent}"
        if self.body:
            yield f"    event: {self.body}"
        if self.answer:
            yield f"    Snap's answer to the batch: {self.answer}"


@dataclass(frozen=True)
class EventTrace:
    """Outcome of one landed event.

    Attributes:
        event_name: as it landed.
        event_time: None if it has none that can be read.
        source_file: where it landed.
        place: the line in that file, or as much as is known of it.
        hour: the key of the hour it landed in.
        verdict: why it is no conversion; None for a conversion.
        deliveries: of a conversion, by destination.
    """

    event_id: str
    event_name: str
    event_time: datetime | None
    workspace: str
    source_file: str
    place: str
    hour: str
    verdict: str | None
    deliveries: Sequence[DeliveryTrace]

    def lines(self) -> Iterator[str]:
        """Yield the text for people."""
        yield f"{self.event_id} ({self.event_name}, {self.event_time or 'no time'}), workspace {self.workspace}"
        yield f"  landed in {self.source_file}, {self.place}, hour {self.hour}"
        if self.verdict:
            yield f"  {self.verdict}"
        for delivery in self.deliveries:
            yield from delivery.lines()


class Trace:
    """The traces of events through a lake.

    Args:
        lake: holds the tables of the hours.
        mappings: the mapping tables, as for delivery.
        states: finds the delivery status of events.
        landing: the landing zone, for the line in the landed file.
    """

    def __init__(self, lake: Lake, mappings: Mappings, states: PayloadStates, landing: LandingZone) -> None:
        self._lake, self._storage = lake, lake.storage
        self._mappings, self._states, self._landing = mappings, states, landing

    def events(
        self,
        event_or_order_id: str,
        hours: Iterable[datetime],
        destinations: Iterable[Destination],
        *,
        with_requests: bool = False,
    ) -> Iterator[EventTrace]:
        """Find what happened to each event with an id or order id, in the order of hours, files and lines.

        Args:
            event_or_order_id: the id, before or after hashing, or the order id.
            hours: the hours to search.
            destinations: those of all workspaces.
            with_requests: have each event's JSON and Snap's answer too.
        """
        by_key = {format_hour(hour): hour for hour in hours}
        keys = self._storage.existing(partition(Table.RAW_EVENTS, hour) for hour in by_key.values())
        destinations = list(destinations)
        if not keys:
            return
        raw_events = self._storage.scan(keys, hive=True, by_name=True, options=WITH_ROW_NUMBERS)
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            events = connection.execute(FIND_EVENTS.format(raw_events=raw_events), {"id": event_or_order_id}).fetchall()
            for key, workspace, event_id, event_name, source_file, row, event_time in events:
                hour = by_key[key]
                line = self._line_number(connection, hour, source_file, self._place(connection, hour, source_file, row))
                snap_name, reason = self._verdict(connection, hour, workspace, event_id, row)
                deliveries = [
                    self._delivery(connection, hour, each, event_id, snap_name, with_request=with_requests)
                    for each in destinations
                    if snap_name and each.workspace == workspace
                ]
                verdict = None if snap_name else reason
                yield EventTrace(
                    event_id, event_name, event_time, workspace, source_file, line, key, verdict, deliveries
                )

    def _place(self, connection: duckdb.DuckDBPyConnection, hour: datetime, source_file: str, row: int) -> int:
        """Return the number of a row among the events of its file, from 1."""
        raw_events = self._storage.scan([partition(Table.RAW_EVENTS, hour)], options=WITH_ROW_NUMBERS)
        query = LOCATE_EVENT.format(raw_events=raw_events)
        ((place,),) = connection.execute(query, {"source_file": source_file, "row": row}).fetchall()
        return int(place)

    def _line_number(self, connection: duckdb.DuckDBPyConnection, hour: datetime, source_file: str, place: int) -> str:
        """Return the line of a file's n-th event, or its number if the file has changed since it was read."""
        read = read_listings(self._lake, connection, [hour]).get(hour, [])
        files = [file for file in self._landing.listing(hour) if as_text(file.source_file) == source_file]
        if not files or files[0] not in read:
            return f"event {place} of the file, which is gone or has changed since it was read"
        numbers = lines_of_events(self._lake, self._landing, hour, source_file)
        if place > len(numbers):
            return f"event {place} of the file"
        number = numbers[place - 1]
        return f"line {number}" if numbers.count(number) == 1 else f"line {number}, event {place} of the file"

    def _verdict(
        self, connection: duckdb.DuckDBPyConnection, hour: datetime, workspace: str, event_id: str, row: int
    ) -> tuple[str | None, str]:
        """Return the Snap event name of an event, or None and why it is no conversion."""
        tables = {table: partition(table, hour) for table in (Table.FILTERED_EVENTS, Table.EXCLUDED_EVENTS)}
        if not all(map(self._storage.exists, tables.values())):
            return None, f"not filtered yet: run {_materialize(hour)}"
        query = FIND_VERDICT.format(
            raw_events=self._storage.scan([partition(Table.RAW_EVENTS, hour)], options=WITH_ROW_NUMBERS),
            filtered_events=self._storage.scan([tables[Table.FILTERED_EVENTS]]),
            excluded_events=self._storage.scan([tables[Table.EXCLUDED_EVENTS]], options=WITH_ROW_NUMBERS),
        )
        values = {"workspace": workspace, "event_id": event_id, "row": row}
        ((snap_name, reason),) = connection.execute(query, values).fetchall()
        if snap_name is None and reason is None:
            return None, f"not filtered since the hour was read again: run {_materialize(hour)}"
        return snap_name, f"excluded: {with_words(reason)}"

    def _delivery(
        self,
        connection: duckdb.DuckDBPyConnection,
        hour: datetime,
        destination: Destination,
        event_id: str,
        event_name: str,
        *,
        with_request: bool,
    ) -> DeliveryTrace:
        name = destination.name
        if not is_in_scope(destination, hour):
            return DeliveryTrace(name, f"not in scope: this destination receives hours from {destination.since} on")
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        if not self._states.prepare(connection, ledger, destination, hour):
            return DeliveryTrace(name, f"no payload yet: run {_materialize(hour)}")
        event = "event_id = $event_id and event_name = $event_name"
        values = {"event_id": event_id, "event_name": event_name}
        row = connection.execute(f"select state, reason from payload_states where {event}", values).fetchone()
        state, reason = row or ("no payload", None)
        receipt = connection.execute(
            f"select batch_id, http_status, sent_at from own_receipts where {event} order by sent_at desc limit 1",
            values,
        ).fetchone()
        delivery = DeliveryTrace(name, f"{state} {with_words(reason)}" if reason else state, *(receipt or ()))
        if not with_request:
            return delivery
        bodies = select_bodies(connection, destination, event, values, limit=1)
        answer = self._answer(connection, ledger, delivery.batch_id)
        return replace(delivery, body=bodies[0] if bodies else None, answer=answer)

    def _answer(self, connection: duckdb.DuckDBPyConnection, ledger: Ledger, batch_id: str | None) -> str | None:
        """Return Snap's answer to the last request of a batch; None if nothing was sent."""
        requests = rows_of(self._storage, Table.DELIVERY_REQUESTS, ledger.files(Table.DELIVERY_REQUESTS))
        row = connection.execute(
            f"select http_status, category, message from ({requests}) where batch_id = ? order by sent_at desc limit 1",
            [batch_id],
        ).fetchone()
        if row is None:
            return None
        http_status, category, message = row
        return f"HTTP {http_status or '(none)'}, {category}{f': {message}' if message else ''}"


def _materialize(hour: datetime) -> str:
    return f"`snap-pipeline materialize --from {format_hour(hour)} --to {format_hour(hour)}`"
