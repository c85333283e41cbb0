"""Identity resolution: `identity_links` of each hour, and the profiles of an hour from the links of its window.

`sql/identity_links.sql` makes the links; `sql/known_devices.sql`, `sql/profiles.sql` and `sql/linked_events.sql` read
them. This module decides which hours' links are read, and makes those that are missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between, parse_hour
from snap_pipeline.lake.damage import DamagedPartition
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.raw import load_landed_events
from snap_pipeline.lake.recipes import noted_raw_events_recipe, workspaces_in
from snap_pipeline.lake.row_errors import DATA_ERRORS
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, hour_of, is_same_version, literal, partition
from snap_pipeline.lake.unprocessable import quarantine_events, unprocessable_rows

TABLE = Table.IDENTITY_LINKS
COMPRESSION = "uncompressed"
"""Off: every hour of the window reads the file, and most of it are digests. LZ4 would make it a sixth smaller and
take a tenth longer to read, Zstandard a third smaller and twice as long."""

NEEDED = (
    "workspace",
    "device_number",
    "person_number",
    "alias_number",
    "anonymous_id",
    "person",
    "first_seen_at",
    "last_seen_at",
    "em",
    "clicks",
    "choices",
    "emails_number",
    "kinds",
)
"""The columns without which links cannot be read: they say who a person is and chose. Others are values of the person,
which the links of an older version may lack."""

MANY_MISSING = 100
"""From so many hours without links on, one walk of the landing zone replaces a look-up for each. A window has 720
hours, and the cost of a walk grows with the number of folders."""


class IdentityLinks:
    """Identity links of one lake.

    Args:
        lake: the lake that stores the links.
        landing: the landing zone, to read hours that have no links yet.
        mappings: the purposes of consent, and the identity window of each workspace.
    """

    def __init__(self, lake: Lake, landing: LandingZone, mappings: Mappings) -> None:
        self._lake, self._storage = lake, lake.storage
        self._landing, self._mappings = landing, mappings
        self._seen_current: dict[datetime, object] = {}

    def make(self, hour: datetime) -> int:
        """Make the links of an hour and return their number.

        They derive from its `raw_events`, or from its landing files if the current version has not read these yet.
        Other runs may make them at the same time from a later reading. So each run checks after writing whether its
        source is still current: the links of the last reading win.
        """
        links, read = 0, None
        while (source := self._source(hour)) and source != read:
            links, read = self._make_once(hour), source
        return links

    def make_of_raw_events(self, hour: datetime) -> None:
        """Make the links of an hour again if they do not derive from its current `raw_events`."""
        with self._lake.connect() as connection:
            notes = self._storage.notes(connection, partition(TABLE, hour))
        raw_events = self._storage.fingerprint(partition(Table.RAW_EVENTS, hour))
        if not is_same_version(notes.get("made_from"), raw_events):
            self.make(hour)

    def make_missing(self, hour: datetime) -> list[datetime]:
        """Make missing or outdated links of hours with events in the identity window, and return these hours.

        So hours can be made in any order, or at the same time, with the same result as in order.

        Raises:
            LakeError: the links of an hour could not be made. Consent may have been denied in that hour, so no later
                hour may go on without it; the message names the hour.
        """
        current = self._current(list(self._window(hour)))
        made = []
        for each in self._with_events([each for each in self._window(hour) if each not in current]):
            # A pruned hour has only its links left. Files that land in it afterwards are not read.
            if self._lake.is_pruned(each):
                continue
            try:
                if self._source(each):
                    self.make(each)
                    made.append(each)
            except LakeError as error:
                raise LakeError(
                    f"The identity links of {format_hour(each)} could not be made. {format_hour(hour)} needs them, "
                    f"because consent may have been denied in that hour. {error}"
                ) from error
        return made

    def make_again(self, damaged: DamagedPartition) -> None:
        """Replace a damaged partition of links, from its hour's events.

        Raises:
            DamagedPartition: the partition is of another table, or its hour's events are gone.
        """
        hour = parse_hour(damaged.hour) if damaged.hour and damaged.table == TABLE else None
        if hour is None or self._lake.is_pruned(hour) or not self._source(hour):
            raise damaged
        self.make(hour)

    def load_linked_events(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> int:
        """Create the tables `linked_events` and `profiles` for the events of an hour.

        Returns the number of people that are set aside, since more devices recognized them than one person has.

        Args:
            connection: has the macros, the mappings, `raw_events` of the hour and the variable `hour_end`.
            hour: the hour; no links of its window are missing.

        Raises:
            LakeError: a pruned hour of the window has links that the current version cannot read.
        """
        hours = [each for each in self._window(hour) if self._exists(each)]
        older = set(hours) - self._current(hours)
        self._ensure_readable(older, partition(TABLE, hour))
        # Mostly, all workspaces have the same window, and no row has to be filtered by its workspace.
        too_old = [
            f"(workspace in ({', '.join(map(literal, workspaces))}) and file_index < {earlier})"
            for window, workspaces in self._mappings.identity_windows.items()
            if (earlier := sum(each <= hour - window for each in hours))
        ]
        keys = (partition(TABLE, each) for each in hours)
        links = self._storage.scan(keys, by_name=bool(older), options="file_row_number = true")
        connection.execute(
            f"create or replace temp view links as select *, file_index from {links} "
            f"{'where not (' + ' or '.join(too_old) + ')' if too_old else ''}"
        )
        for name in ("known_devices", "profiles", "linked_events"):
            connection.execute(sql(name))
        row = connection.execute("select count(*) from crowds").fetchone()
        return int(row[0]) if row else 0

    def _ensure_readable(self, older: Iterable[datetime], today: str) -> None:
        """Reject links of older versions that lack a column in `NEEDED`, or have another type in any column of today.

        They are of pruned hours, and could not be made again.
        """
        keys = [partition(TABLE, each) for each in older]
        if not keys:
            return
        with self._lake.connect() as connection:
            unlike = connection.execute(
                f"""
                with columns as (
                    select file_name, name, (type, converted_type, logical_type) as type
                    from {self._storage.schemas([*keys, today])}
                ),

                todays as (
                    select name, type from columns where ends_with(file_name, {literal(today)})
                )

                select min(files.file_name)
                from (select distinct file_name from columns) as files
                cross join todays
                left join columns on files.file_name = columns.file_name and todays.name = columns.name
                where
                    columns.type is distinct from todays.type
                    and (columns.name is not null or todays.name in {NEEDED})
                """
            ).fetchone()
        if unlike and unlike[0]:
            raise LakeError(
                f"The identity links of {format_hour(hour_of(unlike[0]))} are of an older version of the pipeline, and "
                "cannot be made again, since the events of that hour were pruned. Hours whose identity window reaches "
                "back to it keep the partitions that they have."
            )

    def _window(self, hour: datetime) -> Iterator[datetime]:
        return hours_between(hour - max(self._mappings.identity_windows) + ONE_HOUR, hour)

    def _exists(self, hour: datetime) -> bool:
        return self._storage.exists(partition(TABLE, hour))

    def _current(self, hours: Sequence[datetime]) -> set[datetime]:
        """Return the hours that have links of the current version.

        Unchanged files are not opened again, since the window of a range's next hour is nearly the same.
        """
        version = self._mappings.recipes.links_version
        fingerprints = {each: self._storage.fingerprint(partition(TABLE, each)) for each in hours}
        found = {each: (version, fingerprint) for each, fingerprint in fingerprints.items() if fingerprint}
        unread = [partition(TABLE, each) for each in found if found[each] != self._seen_current.get(each)]
        if unread:
            with self._lake.connect() as connection:
                notes = self._storage.notes_of(connection, unread)
            current = {hour_of(key) for key, each in notes.items() if each.get("links_version") == version}
            self._seen_current |= {each: found[each] for each in current}
        return {each for each in found if found[each] == self._seen_current.get(each)}

    def _with_events(self, hours: Sequence[datetime]) -> Sequence[datetime]:
        """Leave out hours without events, if one walk of the landing zone costs less than a look-up for each.

        A young lake has no links for most hours of its window, and a look-up lists a folder of each workspace.
        """
        if len(hours) < MANY_MISSING:
            return hours
        try:
            landed = self._landing.hours(of_any_kind=True)
        except LakeError:
            return hours  # a folder of none of them may be at fault
        return [each for each in hours if each in landed or self._storage.exists(partition(Table.RAW_EVENTS, each))]

    def _source(self, hour: datetime) -> Sequence[object]:
        """Return the current source of an hour's links, to be compared; empty if nothing landed."""
        raw_events = partition(Table.RAW_EVENTS, hour)
        if self._is_of_today(raw_events):
            return self._storage.fingerprint(raw_events) or ()
        return self._landing.listing(hour) or self._storage.fingerprint(raw_events) or ()

    def _is_of_today(self, raw_events: str) -> bool:
        """Tell whether raw events are of the current version: an older one may have missed a denial of consent."""
        with self._lake.connect_with_macros() as connection:
            noted = noted_raw_events_recipe(self._storage.notes(connection, raw_events))
        return noted == self._mappings.recipes.raw_events

    def _make_once(self, hour: datetime) -> int:
        raw_events = partition(Table.RAW_EVENTS, hour)
        with self._lake.connect_with_macros() as connection:
            recipes = self._mappings.load(connection)
            end = (hour + ONE_HOUR).replace(tzinfo=None)
            connection.execute(f"set variable hour_end = {literal(end)}::timestamp")
            read = self._storage.fingerprint(raw_events) if self._is_of_today(raw_events) else None
            if read:
                connection.execute(
                    "create temp view raw_events as from "
                    f"{self._storage.scan([raw_events], options='file_row_number = true')}"
                )
            else:
                load_landed_events(self._lake, self._landing, connection, hour)
            # Raw events of an earlier version are not read, so that links are never made from them.
            noted = self._storage.notes(connection, raw_events) if read else recipes.raw_events_notes
            sources = {name: noted_raw_events_recipe(noted, name) for name in workspaces_in(connection, "raw_events")}
            notes = {
                **recipes.notes(TABLE, sources),
                "links_version": recipes.links_version,
                "made_from": read,
            }

            def write() -> int:
                key = partition(TABLE, hour)
                return self._storage.commit(connection, key, sql(TABLE), metadata=notes, compression=COMPRESSION)

            try:
                return write()
            except DATA_ERRORS:
                if read != self._storage.fingerprint(raw_events):
                    return 0  # read again meanwhile, so that `make` tries again
                found = unprocessable_rows(
                    connection,
                    "raw_events",
                    "file_row_number",
                    lambda: connection.execute(f"create or replace temp table tried as {sql(TABLE)}"),
                )
                if not found:
                    raise
                if not read:
                    return write()
        quarantine_events(self._lake, self._landing, hour, found)
        return self._make_once(hour)
