"""Copies of an hour's events in other hours: what was answered there, and what was sent without an answer.

Reading a month of receipts for every hour would cost more than the hour, so each day of them has an index: a Parquet
file of 64-bit digests of the answered event ids. It is derived data. Files of receipts are never overwritten, and an
index is named after the files that it was made from: one that is missing or out of date is not found, and is made
again. A digest only tells which days to read; the ids and names in their receipts decide. An order's purchase is no
copy of its checkout that bears the same id: Snap counts both.
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
DIGEST = "md5_number_lower(event_id)"
"""Indexes outlive an upgrade of DuckDB, whose own `hash` may change with it."""

Files = Mapping[str, Sequence[str]]
"""Keys of objects by the key of their hour."""


class Copies:
    """Makes `other_receipts` and `other_intents`: of the same events, in other hours of one destination.

    Args:
        lake: holds receipts, intents and the indexes.
        connection: holds the hour's `conversion_payloads`; gets the two tables.
        destination: the one that receives.
        hour: the hour whose events are looked for.
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
        self._receipts: Files = {}

    def define(self) -> None:
        """Make both tables."""
        retry_during_compaction(self._define_receipts)
        retry_during_compaction(self._define_intents)

    def refresh(self) -> None:
        """Bring `other_receipts` up to date with what other runs have answered since it was made."""
        retry_during_compaction(self._read_changed_hours)

    def _define_receipts(self) -> None:
        self._receipts = self._files(Table.DELIVERY_RECEIPTS, self._hours)
        self._connection.execute(
            "create or replace table other_receipts as "
            "select null::varchar as hour, event_id, event_name, outcome, sent_at "
            f"from ({rows_of(self._storage, Table.DELIVERY_RECEIPTS, [])})"
        )
        self._read(self._where_copies_are())

    def _read_changed_hours(self) -> None:
        files = self._files(Table.DELIVERY_RECEIPTS, self._hours)
        changed = [hour for hour in self._hours if files.get(hour) != self._receipts.get(hour)]
        if changed:
            self._connection.execute("delete from other_receipts where hour in (select unnest($1))", [changed])
            self._read([path for hour in changed for path in files.get(hour, ())])
            self._receipts = files

    def _define_intents(self) -> None:
        files = self._files(Table.DELIVERY_INTENTS, self._hours)
        keys = [key for parts in files.values() for key in parts]
        self._connection.execute(
            "create or replace table other_intents as select event_id, event_name, first_sent_at "
            f"from ({rows_of(self._storage, Table.DELIVERY_INTENTS, keys)}) semi join own_ids using (event_id)"
        )

    def _read(self, receipts: Iterable[str]) -> None:
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

    def _files(self, table: Table, hours: Iterable[str]) -> Files:
        found = {}
        for hour in hours:
            keys = parquet_keys(self._storage, f"{table}/hour={hour}/destination={self._destination_id}")
            if keys:
                found[hour] = sorted(keys)
        return found

    def _where_copies_are(self) -> list[str]:
        """Return the receipts of the days that hold one of the hour's ids, and of those that have no index.

        The hour's own day has none: it would be out of date after this run.
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
        """Return the key of a day's index, which is made where it is missing; None where there can be none now.

        A day in which some run is sending, or was killed while it sent, has none until that hour is compacted.
        """
        made_from = "\n".join(f"/{key}{self._version(key)}" for key in receipts)
        name = f"{day}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.parquet"
        if name in present:
            return f"{folder}/{name}"
        if all(map(is_compacted, receipts)):
            query = f"select {DIGEST} as digest from ({rows_of(self._storage, Table.DELIVERY_RECEIPTS, receipts)})"
            # Who may only read the lake reads the receipts themselves, and so does who finds the disk full.
            with suppress(OSError, duckdb.IOException):
                self._storage.commit(
                    self._connection, f"{folder}/{name}", query, compression="uncompressed", durable=False
                )
                older = (f"{folder}/{each}" for each in present if each.startswith(f"{day}-") and each != name)
                self._storage.delete(older)
                return f"{folder}/{name}"
        return None

    def _version(self, key: str) -> str:
        """Tell apart what bore the same name: earlier versions compacted into the same object again and again.

        They still do where an upgrade is taken back for a while.
        """
        return f" {self._storage.fingerprint(key)}" if key.endswith("/data.parquet") else ""


def hours_with_copies(hour: datetime, reach: timedelta, now: datetime) -> Iterable[str]:
    """Yield the keys of the other hours in which a copy of an hour's event may be answered.

    They are whole days, as their indexes are. An event may be stamped with a time shortly after the hour in which it
    landed, so that they begin and end an hour further away than the reach. They end a day after the running hour,
    since a run keeps the clock that it began with, and the hours that began meanwhile are sent by others.

    Args:
        hour: the hour.
        reach: the age at which Snap takes no event any more. A copy that has kept its timestamp and can still be sent
            lands no further away than that.
        now: the data's clock.
    """
    first = (hour - reach - ONE_HOUR).replace(hour=0)
    last = min(hour + reach + ONE_HOUR, now + ONE_DAY).replace(hour=23)
    return (format_hour(each) for each in hours_between(first, last) if each != hour)
