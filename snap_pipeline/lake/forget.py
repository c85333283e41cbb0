"""Erasure (`snap-pipeline forget`): removes a person from every hour, and keeps their later events out.

The tombstone is written ahead of any change, so that every hour read from then on obeys it. It holds digests, and the
hours that are still to be made again, so that an interrupted request resumes where it stopped. Raw rows stay, emptied
and excluded as `forgotten`, so that the accounting holds; the hours' other tables are made again from them.
"""

import hashlib
import shutil
from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.encodings import UTF_8, encoding_of
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, LandingZone, as_text
from snap_pipeline.lake.payload_partitions import payload_rows
from snap_pipeline.lake.raw import load_events_of_file, make_raw_events
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.text_files import DamagedFile, content_of, lines_of, open_for_writing
from snap_pipeline.lake.tombstones import FOLDER, read_tombstone, write_tombstone
from snap_pipeline.lake.transform import Transformations
from snap_pipeline.reasons import Exclusion


class NotALine(Exception):
    """An event that cannot be replaced: it shares its line, spans several, or is written in another encoding."""


class InvalidIdentifier(PipelineError):
    """A value that is not a valid identifier of its kind."""


@dataclass(frozen=True)
class Erasure:
    """Result of an erasure request.

    Attributes:
        hours: the hours that were made again.
        events: the number of events that are excluded as forgotten in these hours.
        landing_files: names below the landing root of files that still hold the person's events.
        rewritten_files: names of files from which the person's events were removed.
    """

    hours: list[datetime]
    events: int
    landing_files: list[str]
    rewritten_files: list[str]


@dataclass(frozen=True)
class Sighting:
    """An hour with events of the person, and the device and user ids of one of them, as digests."""

    hour: datetime
    device: str | None
    users: frozenset[str]


class Forgetting:
    """Erasure of people in one lake.

    Args:
        lake: the lake to erase from.
        landing: the landing zone, the files of which may hold the person's events.
        transformations: the steps that make an hour's tables again.
        calling_codes: those of the workspaces, since a phone number may be given without its country.
    """

    def __init__(
        self, lake: Lake, landing: LandingZone, transformations: Transformations, calling_codes: Iterable[str | None]
    ) -> None:
        self._lake, self._storage = lake, lake.storage
        self._landing, self._transformations = landing, transformations
        self._calling_codes = sorted({code or "" for code in calling_codes} | {""})

    def digests(self, kind: str, value: str) -> list[str]:
        """Return the digests of an `email`, `phone`, `user_id` or `anonymous_id`, by which a person is found.

        Raises:
            InvalidIdentifier: the value is not of its kind, or an id that stands for nobody.
        """
        with self._lake.connect_with_macros() as connection:
            self._landing.mappings.load(connection)
            rows = connection.execute(
                sql("request_digests"), {"kind": kind, "value": value, "calling_codes": self._calling_codes}
            ).fetchall()
        if not rows:
            raise InvalidIdentifier(f"That is not a valid {kind.replace('_', ' ')}. Check the value and run it again.")
        return [digest for (digest,) in rows]

    def forget(self, requested: Sequence[str], *, rewrite_landing: bool) -> Erasure:
        """Empty and exclude the person's events everywhere, and make the affected hours again. Idempotent.

        Args:
            requested: digests of the person.
            rewrite_landing: remove the person's events from landing files too; otherwise the files are only listed.

        Raises:
            LakeError: a file cannot be read or written. Call again to resume; what was done stays done.
        """
        tombstone = _tombstone_of(requested)
        content = self._find(requested)
        digests, numbers, pending = set(content["digests"]), content["numbers"], content["hours"]
        write_tombstone(self._storage, tombstone, content)
        rewritten, left = self._landing_files(digests, rewrite=rewrite_landing)
        pruned = [hour for hour in self._lake.pruned_hours() if self._forget_pruned(hour, digests, numbers)]
        hours = sorted({*map(parse_hour, pending), *rewritten.values()})
        for done, hour in enumerate(hours, 1):
            self._remake(hour)
            rest = [format_hour(each) for each in hours[done:]]
            write_tombstone(self._storage, tombstone, content | {"hours": rest})
        hours = sorted({*hours, *pruned})
        return Erasure(hours, self._forgotten_events(hours), sorted(left), sorted(rewritten))

    def preview(self, requested: Sequence[str]) -> Erasure:
        """Return the hours and files that `forget` would change, and change nothing.

        Args:
            requested: digests of the person.
        """
        content = self._find(requested)
        digests, numbers = set(content["digests"]), content["numbers"]
        _, files = self._landing_files(digests, rewrite=False)
        pruned = [
            hour for hour in self._lake.pruned_hours() if self._forget_pruned(hour, digests, numbers, dry_run=True)
        ]
        return Erasure(sorted({*map(parse_hour, content["hours"]), *pruned}), 0, sorted(files), [])

    def _find(self, requested: Sequence[str]) -> dict[str, Any]:
        """Return the content of the person's tombstone: what an earlier request knew, and all that is found now."""
        before = read_tombstone(self._storage, _tombstone_of(requested))
        digests, devices, hours_of_person = self._resolve_person({*requested, *before["digests"]})
        hours_of_person |= self._hours_with_linked_payloads(digests)
        return {
            "digests": sorted(digests),
            "devices": sorted(devices | set(before["devices"])),
            "numbers": sorted(self._numbers(digests) | set(before["numbers"])),
            "hours": sorted({*before["hours"], *map(format_hour, hours_of_person - set(self._lake.pruned_hours()))}),
        }

    def _resolve_person(self, requested: set[str]) -> tuple[set[str], set[str], set[datetime]]:
        """Return the person's digests, the devices that they share with others, and the hours of both.

        An address leads to user ids, and these lead to devices. A device that somebody else uses as well is shared: its
        other events stay.
        """
        sightings = self._sightings(requested)
        by_requested_device = {s for s in sightings if s.device in requested}
        users = set().union(*(s.users for s in sightings - by_requested_device))
        owners = set().union(*(s.users for s in by_requested_device))
        if len({s.users for s in by_requested_device if s.users}) <= 1:
            users |= owners
        # One id leads to another: an alias, or an external id beside the user id.
        followed: set[str] = set()
        while users - followed:
            found = self._sightings(users - followed)
            followed |= users
            sightings |= found
            users |= set().union(*(s.users for s in found))
        of_person = {s for s in sightings if s.users & users or s not in by_requested_device}
        devices = {s.device for s in of_person if s.device} - requested
        sightings |= self._sightings(devices)
        shared = {s.device for s in sightings if s.device in devices and s.users and not s.users & (users | requested)}
        return requested | users | (devices - shared), shared, {s.hour for s in sightings}

    def _hours_with_linked_payloads(self, digests: set[str]) -> set[datetime]:
        """Return the hours in which a conversion carries the person's address or number, even from another event."""
        hours = self._storage.hours(Table.CONVERSION_PAYLOADS)
        if not hours:
            return set()
        keys = (partition(Table.CONVERSION_PAYLOADS, hour) for hour in hours)
        with self._lake.connect() as connection:
            connection.execute(f"create temp view payloads as {payload_rows(self._storage, keys, hive=True)}")
            rows = connection.execute(sql("sightings_in_payloads"), {"digests": sorted(digests)}).fetchall()
        return {parse_hour(hour) for (hour,) in rows}

    def _sightings(self, digests: set[str]) -> set[Sighting]:
        """Return sightings of the digests: in events, and in the links of hours that have no events, or none yet."""
        hours = self._storage.hours(Table.RAW_EVENTS)
        with_links_alone = sorted(set(self._storage.hours(Table.IDENTITY_LINKS)) - set(hours))
        found: set[Sighting] = set()
        for table, query, among in (
            (Table.RAW_EVENTS, "sightings", hours),
            (Table.IDENTITY_LINKS, "sightings_in_links", with_links_alone),
        ):
            if digests and among:
                rows_of = self._storage.scan((partition(table, hour) for hour in among), hive=True)
                with self._lake.connect_with_macros() as connection:
                    self._landing.mappings.load(connection)
                    connection.execute(f"create temp view {table} as from {rows_of}")
                    rows = connection.execute(sql(query), {"digests": sorted(digests)}).fetchall()
                found |= {Sighting(parse_hour(hour), device, frozenset(users)) for hour, device, users in rows}
        return found

    def _numbers(self, digests: set[str]) -> set[int]:
        """Return the numbers of the person and of their devices, by which payloads of pruned hours name them."""
        hours = self._storage.hours(Table.IDENTITY_LINKS)
        if not hours or not self._lake.pruned_hours():
            return set()
        links = self._storage.scan((partition(Table.IDENTITY_LINKS, hour) for hour in hours), by_name=True)
        query = f"""
            select device_number from {links} where sha256('anonymous ' || anonymous_id) in $digests
            union select person_number from {links}
            where sha256('user ' || person) in $digests or person in $digests
        """
        with self._lake.connect() as connection:
            rows = connection.execute(query, {"digests": sorted(digests)}).fetchall()
        return {number for (number,) in rows}

    def _landing_files(self, digests: set[str], *, rewrite: bool) -> tuple[dict[str, datetime], list[str]]:
        """Return the rewritten files with their hours, and the files that still hold the person's events."""
        rewritten: dict[str, datetime] = {}
        left: list[str] = []
        for hour in sorted(self._landing.hours()):
            for file in self._landing.listing(hour):
                stubs = self._stubs(file, hour, digests)
                if stubs and rewrite and self._rewrite(file, stubs):
                    rewritten[as_text(file.source_file)] = hour
                elif stubs:
                    left.append(as_text(file.source_file))
        return rewritten, left

    def _rewrite(self, file: LandedFile, stubs: Mapping[int, tuple[str, str]]) -> bool:
        """Replace the person's lines in a file; return False, with the file as it was, if that is not possible."""
        path = self._landing.path(file)
        try:
            with self._landing.rewrite(file) as draft:
                replace_lines(path, draft, stubs)
        except (NotALine, DamagedFile):
            return False
        return True

    def _stubs(self, file: LandedFile, hour: datetime, digests: set[str]) -> Mapping[int, tuple[str, str]]:
        """Return the person's lines in a file with their replacements, by line number.

        Of several events in one line, one stands for all: such a line cannot be replaced.
        """
        with self._lake.connect_with_macros() as connection:
            load_events_of_file(self._lake, self._landing, connection, hour, file)
            rows = connection.execute(sql("forgotten_lines"), {"digests": sorted(digests)}).fetchall()
        return {number: (line, stub) for number, line, stub in rows}

    def _remake(self, hour: datetime) -> None:
        if self._storage.exists(partition(Table.RAW_EVENTS, hour)):
            make_raw_events(self._lake, self._landing, hour)
            self._transformations.make_identity_links(hour)
            if self._storage.exists(partition(Table.FILTERED_EVENTS, hour)):
                self._transformations.make_filtered_events(hour)
            if self._storage.exists(partition(Table.CONVERSION_PAYLOADS, hour)):
                self._transformations.make_conversion_payloads(hour)
            if self._storage.exists(partition(Table.PARAMETER_COMPLETENESS, hour)):
                self._transformations.make_parameter_completeness(hour)
        else:
            # Links without raw events are made again as soon as a later hour needs them.
            self._storage.delete([partition(Table.IDENTITY_LINKS, hour)])

    def _forget_pruned(
        self, hour: datetime, digests: Collection[str], numbers: Collection[int], *, dry_run: bool = False
    ) -> bool:
        """Remove the person from the tables that a pruned hour still has; return False if they are not in it.

        A dry run changes nothing.

        The exclusions are written before the payloads shrink, and only once, so that an interruption loses nothing. The
        parameters are counted again even if nothing else is left to do: their partition is missing until then.
        """
        payloads, excluded, links, completeness = (
            partition(table, hour)
            for table in (
                Table.CONVERSION_PAYLOADS,
                Table.EXCLUDED_EVENTS,
                Table.IDENTITY_LINKS,
                Table.PARAMETER_COMPLETENESS,
            )
        )
        with self._lake.connect_with_macros() as connection:
            for table, key in {"stored": payloads, "excluded": excluded, "links": links}.items():
                scan = self._storage.scan([key], options="file_row_number = true" if key == payloads else "")
                connection.execute(f"create temp table {table} as from {scan}")
            rows_of_today = payload_rows(self._storage, [payloads], options="file_row_number = true")
            connection.execute(f"create temp view payloads as {rows_of_today}")
            made_by = self._storage.notes(connection, payloads)
            person = {"digests": sorted(digests)}
            connection.execute(
                f"create temp table forgotten as {sql('forgotten_payloads')}",
                person | {"numbers": sorted(numbers)},
            )
            connection.execute(f"create temp table kept_links as {sql('forgotten_links')}", person)
            row = connection.execute(
                "select (select count(*) from forgotten), "
                "(select count(*) from links) - (select count(*) from kept_links)"
            ).fetchone()
            if (not row or not any(row)) and self._storage.exists(completeness):
                return False
            if dry_run:
                return bool(row and any(row))
            self._storage.commit(
                connection,
                excluded,
                f"""
                from excluded union all by name
                select workspace, event_id, event_name, event_time, '{Exclusion.FORGOTTEN}' as reason from forgotten
                where (workspace, event_id, event_name) not in (
                    select workspace, event_id, coalesce(event_name, '') from excluded
                    where reason = '{Exclusion.FORGOTTEN}'
                )
                """,
            )
            links_made_by = self._storage.notes(connection, links)
            self._storage.commit(connection, links, "from kept_links", metadata=links_made_by)
            self._storage.delete([completeness])
            self._storage.commit(
                connection,
                payloads,
                "select * exclude (file_row_number) from stored anti join forgotten using (file_row_number)",
                metadata=made_by,
            )
        self._transformations.make_parameter_completeness(hour)
        return True

    def _forgotten_events(self, hours: Iterable[datetime]) -> int:
        keys = self._storage.existing(partition(Table.EXCLUDED_EVENTS, hour) for hour in hours)
        if not keys:
            return 0
        with self._lake.connect() as connection:
            query = f"select count(*) from {self._storage.scan(keys)} where reason = '{Exclusion.FORGOTTEN}'"
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def _tombstone_of(requested: Iterable[str]) -> str:
    return f"{FOLDER}/{hashlib.sha256(''.join(sorted(requested)).encode()).hexdigest()[:16]}.json"


def replace_lines(path: Path, draft: Path, lines: Mapping[int, tuple[str, str]]) -> None:
    """Write a copy of a file with some lines replaced, and every other byte unchanged.

    Args:
        path: the file.
        draft: the copy, which gets the file's mode.
        lines: by line number from 1, the expected line and its replacement.

    Raises:
        NotALine: the file is not UTF-8, or an expected line is not a line of its own in it.
        DamagedFile: the file cannot be decompressed to its end.
    """
    # Without NUL bytes, a line of UTF-16 looks like one of UTF-8, and one of UTF-8 would displace those after it.
    if encoding_of(content_of(path)) != UTF_8:
        raise NotALine(path)
    found = 0
    with open_for_writing(draft, path.suffix) as new:
        for number, line in enumerate(lines_of(path), 1):
            if number not in lines:
                new.write(line)
                continue
            before, after = (text.encode() for text in lines[number])
            if before.strip() != line.replace(b"\0", b"").removeprefix(BOM_UTF8).strip():
                raise NotALine(path)
            found += 1
            new.write(after + line[len(line.rstrip(b"\r\n")) :])
    if found < len(lines):
        raise NotALine(path)
    shutil.copymode(path, draft)
