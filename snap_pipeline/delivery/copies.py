"""Deduplication over hours: copies of an hour's events that have receipts or intents in other hours.

Reading a month of receipts for every hour would cost more than the hour, so each day of them has an index: a Parquet
file of 64-bit digests of the answered event ids. It is derived data. Files of receipts are never overwritten, and an
index is named after the files that it was made from: if one is missing or out of date, none is found by that name, and
it is made again. The digests only select the days to read; the ids and names in their receipts decide. A purchase is no
copy of a checkout with the same id, such as that of their order: Snap counts both.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import duckdb

from snap_pipeline.delivery.compaction import is_compacted
from snap_pipeline.delivery.ledger import parquet_keys, retry_during_compaction, rows_of
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table

ONE_DAY = timedelta(days=1)
INDEX_TABLE = "_answered_ids"
"""The folder of the indexes in the lake; the underscore marks derived data."""
DIGEST = "md5_number_lower(event_id)"
"""SQL of an id's digest. It is MD5, since DuckDB's own `hash` may change with its version, which indexes outlive."""

KeysByHour = Mapping[str, Sequence[str]]
"""Objects by the key of their hour."""


class Copies:
    """The tables `other_receipts` and `other_intents`: of the same events, in other hours of one destination.

    Args:
        lake: holds receipts, intents and the indexes.
        connection: holds the hour's `conversion_payloads`; gets the two tables.
        destination: the receiver.
        hour: the hour of the events.
        hours: the keys of the other hours in which a copy may have been answered; see `hours_with_copies`.
    """

    def __init__(
        self,
        lake: Lake,
        connection: duckdb.DuckDBPyConnection,
        destination: Destination,
        hour: datetime,
        hours: Iterable[str],
    ) -> None:
        self._storage, self._connection, self._destination_id = lake.storage, connection, destination.id
        self._day = format_hour(hour)[:10]
        row = connection.execute(
            f"create or replace table own_ids as select distinct event_id, event_name, {DIGEST} as digest "
            "from conversion_payloads where workspace = ?",
            [destination.workspace],
        ).fetchone()
        self._hours = tuple(hours) if row and row[0] else ()
        self._receipts: KeysByHour = {}

    def define(self) -> None:
        """Create both tables."""
        retry_during_compaction(self._define_receipts)
        retry_during_compaction(self._define_intents)

    def refresh(self) -> None:
        """Update `other_receipts` with the receipts that other runs have written since it was made."""
        retry_during_compaction(self._read_changed_hours)

    def _define_receipts(self) -> None:
        self._receipts = self._files(Table.DELIVERY_RECEIPTS, self._hours)
        self._connection.execute(
            "create or replace table other_receipts as "
            "select null::varchar as hour, event_id, event_name, outcome, sent_at "
            f"from ({rows_of(self._storage, Table.DELIVERY_RECEIPTS, [])})"
        )
        self._insert_receipts(self._receipts_to_read())

    def _read_changed_hours(self) -> None:
        files = self._files(Table.DELIVERY_RECEIPTS, self._hours)
        changed = [hour for hour in self._hours if files.get(hour) != self._receipts.get(hour)]
        if changed:
            self._connection.execute("delete from other_receipts where hour in (select unnest($1))", [changed])
            self._insert_receipts([path for hour in changed for path in files.get(hour, ())])
            self._receipts = files

    def _define_intents(self) -> None:
        files = self._files(Table.DELIVERY_INTENTS, self._hours)
        keys = [key for parts in files.values() for key in parts]
        self._connection.execute(
            f"""
            create or replace table other_intents as
            select event_id, event_name, first_sent_at
            from ({rows_of(self._storage, Table.DELIVERY_INTENTS, keys)}) as sent
            -- Intents of older versions have no name.
            semi join own_ids
                on sent.event_id = own_ids.event_id
                and coalesce(sent.event_name, own_ids.event_name) = own_ids.event_name
            """
        )

    def _insert_receipts(self, receipts: Iterable[str]) -> None:
        keys = list(receipts)
        if keys:
            self._connection.execute(
                f"""
                insert into other_receipts
                select hour, event_id, event_name, outcome, sent_at
                from {self._storage.scan(keys, hive=True)}
                semi join own_ids using (event_id, event_name)
                """
            )

    def _files(self, table: Table, hours: Iterable[str]) -> KeysByHour:
        found = {}
        for hour in hours:
            keys = parquet_keys(self._storage, f"{table}/hour={hour}/destination={self._destination_id}")
            if keys:
                found[hour] = sorted(keys)
        return found

    def _receipts_to_read(self) -> list[str]:
        """Return the receipts of the days whose index has one of the hour's ids, and of those without an index.

        The hour's own day has no index: it would be out of date after this run.
        """
        days: dict[str, list[str]] = {}
        for hour, files in self._receipts.items():
            days.setdefault(hour[:10], []).extend(files)
        receipts = days.pop(self._day, [])
        folder = f"{INDEX_TABLE}/destination={self._destination_id}"
        present = self._storage.names(folder)
        indexes = {index: day for day in days if (index := self._index(folder, present, day, days[day]))}
        found = set(days) - set(indexes.values())
        if indexes:
            rows = self._connection.execute(
                f"select distinct filename from {self._storage.scan(indexes, options='filename = true')} "
                "semi join own_ids using (digest)"
            ).fetchall()
            found.update(indexes[self._storage.key_of(name)] for (name,) in rows)
        return [*receipts, *(key for day in sorted(found) for key in days[day])]

    def _index(self, folder: str, present: Sequence[str], day: str, receipts: Sequence[str]) -> str | None:
        """Return the key of a day's index, which is made if it is missing; None if it cannot be made now.

        A day in which a run is sending, or was killed while it sent, has none until that hour is compacted.
        """
        made_from = "\n".join(f"/{key}{self._version(key)}" for key in receipts)
        name = f"{day}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.parquet"
        if name in present:
            return f"{folder}/{name}"
        if all(map(is_compacted, receipts)):
            query = f"select {DIGEST} as digest from ({rows_of(self._storage, Table.DELIVERY_RECEIPTS, receipts)})"
            # If the lake is read-only or the disk is full, the receipts themselves are read.
            with suppress(OSError, duckdb.IOException):
                self._storage.commit(
                    self._connection, f"{folder}/{name}", query, compression="uncompressed", durable=False
                )
                older = (f"{folder}/{each}" for each in present if each.startswith(f"{day}-") and each != name)
                self._storage.delete(older)
                return f"{folder}/{name}"
        return None

    def _version(self, key: str) -> str:
        """Return the version of an object that earlier versions of the program overwrite; other names are unique.

        They may still do so, if an upgrade is taken back for a while.
        """
        return f" {self._storage.fingerprint(key)}" if key.endswith("/data.parquet") else ""


def hours_with_copies(hour: datetime, reach: timedelta, now: datetime) -> Iterable[str]:
    """Yield the keys of the other hours that may hold an answered copy of an hour's event.

    They are whole days, as the indexes are. An event's time may lie shortly after the hour in which it landed, so that
    the range is an hour longer than the reach at both ends. It ends a day after the running hour, since a run keeps
    the clock that it began with, and other runs send the hours that begin meanwhile.

    Args:
        hour: the hour.
        reach: the age from which Snap takes no event. A copy with the same timestamp that can still be sent lands no
            further away than that.
        now: the data's clock.
    """
    first = (hour - reach - ONE_HOUR).replace(hour=0)
    last = min(hour + reach + ONE_HOUR, now + ONE_DAY).replace(hour=23)
    return (format_hour(each) for each in hours_between(first, last) if each != hour)
