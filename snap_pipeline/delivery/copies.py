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
from pathlib import Path

import duckdb

from snap_pipeline.delivery.compaction import is_compacted
from snap_pipeline.delivery.ledger import files_of, names_in, retry_during_compaction
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between
from snap_pipeline.lake.lake import Lake, file_fingerprint, literal

ONE_DAY = timedelta(days=1)
INDEX_TABLE = "_answered_ids"
DIGEST = "md5_number_lower(event_id)"
"""Indexes outlive an upgrade of DuckDB, whose own `hash` may change with it."""

Files = Mapping[str, Sequence[str]]
"""Paths by the key of their hour."""


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
        self._lake, self._connection, self._destination_id = lake, connection, destination.id
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
        self._receipts = self._files("delivery_receipts", self._hours)
        self._connection.execute(
            "create or replace table other_receipts as "
            "select null::varchar as hour, event_id, event_name, outcome, sent_at "
            f"from ({files_of('delivery_receipts', [])})"
        )
        self._read(self._where_copies_are())

    def _read_changed_hours(self) -> None:
        files = self._files("delivery_receipts", self._hours)
        changed = [hour for hour in self._hours if files.get(hour) != self._receipts.get(hour)]
        if changed:
            self._connection.execute("delete from other_receipts where hour in (select unnest($1))", [changed])
            self._read([path for hour in changed for path in files.get(hour, ())])
            self._receipts = files

    def _define_intents(self) -> None:
        files = self._files("delivery_intents", self._hours)
        paths = [Path(path) for parts in files.values() for path in parts]
        self._connection.execute(
            "create or replace table other_intents as select event_id, event_name, first_sent_at "
            f"from ({files_of('delivery_intents', paths)}) semi join own_ids using (event_id)"
        )

    def _read(self, receipts: Iterable[str]) -> None:
        paths = ", ".join(map(literal, receipts))
        if paths:
            self._connection.execute(
                f"""
                insert into other_receipts
                select hour, event_id, event_name, outcome, sent_at
                from read_parquet([{paths}], hive_partitioning = true, hive_types = {{'hour': varchar}})
                semi join own_ids using (event_id, event_name)
                """
            )

    def _files(self, table: str, hours: Iterable[str]) -> Files:
        root, folder = f"{self._lake.root}/{table}/hour=", f"/destination={self._destination_id}"
        found = {}
        for hour in hours:
            path = f"{root}{hour}{folder}"
            names = [f"{path}/{name}" for name in names_in(path) if name.endswith(".parquet")]
            if names:
                found[hour] = sorted(names)
        return found

    def _where_copies_are(self) -> list[str]:
        """Return the receipts of the days that hold one of the hour's ids, and of those that have no index.

        The hour's own day has none: it would be out of date after this run.
        """
        days: dict[str, list[str]] = {}
        for hour, files in self._receipts.items():
            days.setdefault(hour[:10], []).extend(files)
        receipts = days.pop(self._day, [])
        folder = self._lake.root / INDEX_TABLE / f"destination={self._destination_id}"
        present = set(names_in(str(folder)))
        indexes = {str(index): day for day in days if (index := self._index(folder, present, day, days[day]))}
        found = set(days) - set(indexes.values())
        if indexes:
            rows = self._connection.execute(
                f"select distinct filename from read_parquet([{', '.join(map(literal, indexes))}], filename = true) "
                "semi join own_ids using (digest)"
            ).fetchall()
            found.update(indexes[path] for (path,) in rows)
        return [*receipts, *(path for day in sorted(found) for path in days[day])]

    def _index(self, folder: Path, present: Iterable[str], day: str, files: Sequence[str]) -> Path | None:
        """Return a day's index, which is made where it is missing; None where there can be none now.

        A day in which some run is sending, or was killed while it sent, has none until that hour is compacted.
        """
        names = "\n".join(file.removeprefix(str(self._lake.root)) + _version(file) for file in files)
        path = folder / f"{day}-{hashlib.sha256(names.encode()).hexdigest()[:16]}.parquet"
        if path.name in present:
            return path
        if all(is_compacted(Path(file)) for file in files):
            query = f"select {DIGEST} as digest from ({files_of('delivery_receipts', map(Path, files))})"
            # Who may only read the lake reads the receipts themselves, and so does who finds the disk full.
            with suppress(OSError, duckdb.IOException):
                self._lake.replace(self._connection, path, query, compression="uncompressed")
                for older in folder.glob(f"{day}-*.parquet"):
                    if older != path:
                        older.unlink(missing_ok=True)
                return path
        return None


def _version(file: str) -> str:
    """Tell apart what bore the same name: programs before this one compacted into the same file again and again.

    They still do where an upgrade is taken back for a while.
    """
    return f" {file_fingerprint(file)}" if file.endswith("/data.parquet") else ""


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
