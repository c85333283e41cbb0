"""The accounting: the outcome of every landed line, by hour, workspace and destination.

`snap-pipeline status`, the conservation check and the `accounting` mart all use these counts.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from snap_pipeline.capi.limits import ORDER_WINDOW
from snap_pipeline.delivery.event_status import PayloadStates, delivery_sql, is_in_scope
from snap_pipeline.delivery.hour_status import HourStatus, HourStatusCache, hour_status_of
from snap_pipeline.delivery.ledger import Ledger, answered_destinations
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour, hours_between
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.payload_partitions import payload_rows
from snap_pipeline.lake.storage import Table, mart, partition
from snap_pipeline.lake.summaries import Summaries, Summary
from snap_pipeline.reasons import DeliveryState, NonAdditive

ENTRY_NAMES: Mapping[str, str] = {
    Table.RAW_EVENTS: "raw",
    Table.QUARANTINED_LINES: "quarantined",
    Table.EXCLUDED_EVENTS: "excluded",
    Table.CONVERSION_PAYLOADS: "payloads",
}
"""The entries of the accounting before delivery, by the table whose rows they count."""

NON_ADDITIVE_ENTRIES = tuple(NonAdditive)
"""Entries that do not add up to the payloads: `withdrawn` has no payload, `expiring` is part of `pending`."""


@dataclass(frozen=True)
class Entry:
    """A count of events of one hour and workspace.

    Attributes:
        destination: None before delivery.
        entry: one of `ENTRY_NAMES` before delivery, then a state of delivery or one of `NON_ADDITIVE_ENTRIES`.
        reason: of quarantine, exclusion, rejection and undeliverable events.
        values: of the purchases among the events of a delivery state, by currency.
    """

    hour: str
    workspace: str
    destination_id: str | None
    destination: str | None
    entry: str
    reason: str | None
    events: int
    values: tuple[tuple[str, float], ...] = ()


class Accounting:
    """The counts over a lake.

    Args:
        lake: holds the tables of the hours.
        mappings: the mapping tables, as for delivery.
        summaries: of the lake's hours.
        now: the data's clock.
    """

    def __init__(self, lake: Lake, mappings: Mappings, summaries: Summaries, now: datetime) -> None:
        self._lake, self._storage = lake, lake.storage
        self._mappings, self._summaries, self._now = mappings, summaries, now
        self._states = PayloadStates(lake, now)
        self._statuses = HourStatusCache(lake)

    def hours(self, first: datetime, last: datetime) -> list[datetime]:
        """Return the hours of a range that have been read, pruned ones included."""
        return [
            hour
            for hour in hours_between(first, last)
            if self._storage.exists(partition(Table.RAW_EVENTS, hour)) or self._lake.is_pruned(hour)
        ]

    def entries(self, hours: Sequence[datetime], destinations: Iterable[Destination]) -> list[Entry]:
        """Return all entries of the hours, those of delivery for each destination that receives the hour.

        Raises:
            DamagedPartition: an hour cannot be counted.
        """
        destinations = list(destinations)
        summaries = self._summaries.of(hours)
        for summary in summaries.values():
            if summary.damaged:
                raise summary.damaged
        entries = [
            Entry(format_hour(hour), workspace, None, None, ENTRY_NAMES[table], reason, events)
            for hour, summary in summaries.items()
            for table, workspace, reason, events in summary.counts
        ]
        entries += [entry for hour in hours for entry in self._pruned_entries(hour)]
        return [*entries, *self._deliveries(summaries, destinations)]

    def delivery_entries(self, hours: Iterable[datetime], destinations: Sequence[Destination]) -> Iterator[Entry]:
        """Yield the entries of delivery, for each destination that receives the hour; none of a damaged hour.

        Every number of pending events that people see is counted here.
        """
        return self._deliveries(self._summaries.of(hours), destinations)

    def _deliveries(
        self, summaries: Mapping[datetime, Summary], destinations: Sequence[Destination]
    ) -> Iterator[Entry]:
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            for hour, summary in summaries.items():
                for destination in self._destinations_of(hour, summary.conversions, destinations):
                    yield from self._delivery_entries(connection, hour, destination)

    def shared_orders(self, hours: Sequence[datetime]) -> int:
        """Count the purchases of the hours' newest 30 days that share an order id: Snap counts each order once."""
        after = max(hours, default=self._now) - ORDER_WINDOW
        keys = self._storage.existing(partition(Table.CONVERSION_PAYLOADS, hour) for hour in hours if hour > after)
        if not keys:
            return 0
        with self._lake.connect() as connection:
            connection.execute(f"create view conversion_payloads as {payload_rows(self._storage, keys)}")
            row = connection.execute(delivery_sql("shared_orders")).fetchone()
        return int(row[0]) if row else 0

    def export(self, entries: Iterable[Entry]) -> None:
        """Write the entries for the dbt project."""
        with self._lake.connect() as connection:
            connection.execute(
                """
                create table entries (
                    hour varchar, workspace varchar, destination_id varchar, destination varchar, entry varchar,
                    reason varchar, events bigint, purchase_values map(varchar, double)
                )
                """
            )
            rows = [
                [
                    *list(vars(entry).values())[:-1],
                    [name for name, _ in entry.values],
                    [sum_ for _, sum_ in entry.values],
                ]
                for entry in entries
                if entry.entry != NonAdditive.EXPIRING
            ]
            if rows:
                connection.executemany(
                    "insert into entries values (?, ?, ?, ?, ?, ?, ?, map(?::varchar[], ?::double[]))", rows
                )
            self._storage.commit(connection, mart("accounting_entries"), "from entries")

    def export_destinations(self, destinations: Iterable[Destination]) -> None:
        """Write the destinations, without credentials, for the dbt project."""
        rows = [[d.id, d.name, d.workspace, d.api_version, d.state, d.since] for d in destinations]
        with self._lake.connect() as connection:
            connection.execute(
                "create table exported (destination_id varchar, name varchar, workspace varchar, api_version varchar, "
                "state varchar, since varchar)"
            )
            if rows:
                connection.executemany("insert into exported values (?, ?, ?, ?, ?, ?)", rows)
            self._storage.commit(connection, mart("destinations"), "from exported")

    def _pruned_entries(self, hour: datetime) -> Iterator[Entry]:
        for workspace, events in self._lake.pruned_events(hour).items():
            if not self._storage.exists(partition(Table.RAW_EVENTS, hour)):
                yield Entry(format_hour(hour), workspace, None, None, "raw", None, events)

    def _destinations_of(
        self, hour: datetime, workspaces: Container[str], destinations: Iterable[Destination]
    ) -> Iterator[Destination]:
        """Yield the destinations with conversions in an hour, or with receipts of events that were conversions."""
        answered: Container[str] | None = None
        for destination in destinations:
            if not is_in_scope(destination, hour):
                continue
            if destination.workspace not in workspaces:
                answered = (
                    answered_destinations(self._storage, Table.DELIVERY_RECEIPTS, hour)
                    if answered is None
                    else answered
                )
                if destination.id not in answered:
                    continue
            yield destination

    def _delivery_entries(
        self, connection: duckdb.DuckDBPyConnection, hour: datetime, destination: Destination
    ) -> list[Entry]:
        key, status = format_hour(hour), self._status(connection, hour, destination)
        return [
            Entry(
                *(key, destination.workspace, destination.id, destination.name, state, reason, events),
                values=tuple(status.values.get((state, reason), {}).items()),
            )
            for (state, reason), events in status.counts.items()
        ]

    def _status(self, connection: duckdb.DuckDBPyConnection, hour: datetime, destination: Destination) -> HourStatus:
        status = self._statuses.cached(destination, hour)
        # Pending events and those in doubt may have expired, or been delivered in another hour, since the last run.
        if status and not status.count(DeliveryState.PENDING) and not status.count(DeliveryState.IN_DOUBT):
            return status
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        if not self._states.prepare(connection, ledger, destination, hour):
            return HourStatus({})
        return hour_status_of(connection, self._now)


def unbalanced_hours(entries: Iterable[Entry]) -> set[str]:
    """Return the keys of the hours whose entries do not add up."""
    return {gap.split(" ", 1)[0] for gap in unaccounted(entries)}


def unaccounted(entries: Iterable[Entry]) -> list[str]:
    """Describe each workspace and destination whose entries do not add up, the hour's key first."""
    raw: Counter[tuple[str, str]] = Counter()
    payloads: Counter[tuple[str, str]] = Counter()
    delivery: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        key = (entry.hour, entry.workspace)
        if entry.entry == "raw":
            raw[key] += entry.events
        elif entry.entry == "excluded":
            raw[key] -= entry.events
        elif entry.entry == "payloads":
            payloads[key] += entry.events
        elif entry.destination is not None and entry.entry not in NON_ADDITIVE_ENTRIES:
            delivery[*key, entry.destination] += entry.events
    gaps = [
        f"{hour} {workspace}: raw events less excluded ones are {raw[hour, workspace]}, "
        f"payloads {payloads[hour, workspace]}"
        for hour, workspace in sorted(raw.keys() | payloads.keys())
        if raw[hour, workspace] != payloads[hour, workspace]
    ]
    gaps += [
        f"{hour} {workspace}: payloads are {payloads[hour, workspace]}, {destination} accounts for {events}"
        for (hour, workspace, destination), events in delivery.items()
        if events != payloads[hour, workspace]
    ]
    return gaps
