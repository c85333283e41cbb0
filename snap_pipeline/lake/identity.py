"""Who is behind an event: `identity_links` of each hour, and what those of the trailing window say of one hour.

What a link holds is decided in `sql/identity_links.sql`, how links are read in `sql/known_devices.sql`,
`sql/profiles.sql` and `sql/linked_events.sql`; here is which hours' files are read, and that none of them is missing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between, parse_hour
from snap_pipeline.lake.damage import DamagedPartition
from snap_pipeline.lake.lake import Lake, sql
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.raw import load_landed_events
from snap_pipeline.lake.recipes import noted_raw_events_recipe, raw_events_recipe, workspaces_in
from snap_pipeline.lake.row_errors import DATA_ERRORS
from snap_pipeline.lake.storage import Table, hour_of, literal, partition
from snap_pipeline.lake.unprocessable import quarantine_events, unprocessable_rows

TABLE = Table.IDENTITY_LINKS
COMPRESSION = "uncompressed"
"""Each file is read by every hour of the window after it, and most of it are digests: LZ4 makes it a sixth smaller and
takes a tenth longer to read, Zstandard makes it a third smaller and takes twice as long."""

MANY_MISSING = 100
"""From so many hours without links on, the landing zone is walked once. A window holds 720, and what a walk takes grows
with the folders that are there."""


class IdentityLinks:
    """The links of one lake.

    Args:
        lake: holds them.
        landing: where the events of an hour are found whose links are missing.
        mappings: say what consent means, and how far back each workspace looks.
    """

    def __init__(self, lake: Lake, landing: LandingZone, mappings: Mappings) -> None:
        self._lake, self._storage = lake, lake.storage
        self._landing, self._mappings = landing, mappings
        self._seen_current: dict[datetime, object] = {}

    def make(self, hour: datetime) -> int:
        """Makes the links of an hour and returns how many there are.

        They are made from its `raw_events`, or from its landing files where today's version has not read them. Other
        runs may make them at the same time and have read later, so whoever has written looks whether that is still what
        is there: the links that stay are those of the last reading.
        """
        links, read = 0, None
        while (source := self._source(hour)) and source != read:
            links, read = self._make_once(hour), source
        return links

    def make_of_raw_events(self, hour: datetime) -> None:
        """Makes the links of an hour where they are not of the `raw_events` that are there."""
        with self._lake.connect() as connection:
            notes = self._storage.notes(connection, partition(TABLE, hour))
        if notes.get("made_from") != self._storage.fingerprint(partition(Table.RAW_EVENTS, hour)):
            self.make(hour)

    def make_missing(self, hour: datetime) -> list[datetime]:
        """Makes the links of every hour of the trailing window that has events and no links yet, or those of old code.

        So hours can be made in any order, or at the same time, and know what they would have known in order. Returns
        the hours that were made.

        Raises:
            LakeError: the links of an hour could not be made. Nothing may go on without them, since somebody may
                have refused consent in it; the message names the hour.
        """
        current = self._current(list(self._window(hour)))
        made = []
        for each in self._with_events([each for each in self._window(hour) if each not in current]):
            # A pruned hour has only its links left. What lands in it afterwards is not read.
            if self._lake.is_pruned(each):
                continue
            try:
                if self._source(each):
                    self.make(each)
                    made.append(each)
            except LakeError as error:
                raise LakeError(
                    f"What happened in {format_hour(each)} must be known before {format_hour(hour)} is made, since a "
                    f"refusal of consent may stand in it: {error}"
                ) from error
        return made

    def make_again(self, damaged: DamagedPartition) -> None:
        """Replace a damaged partition of links by what its hour's events say.

        Raises:
            DamagedPartition: it is of another table, or the events of its hour are gone.
        """
        hour = parse_hour(damaged.hour) if damaged.hour and damaged.table == TABLE else None
        if hour is None or self._lake.is_pruned(hour) or not self._source(hour):
            raise damaged
        self.make(hour)

    def load_linked_events(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> None:
        """Makes the tables `linked_events` and `profiles` for the hour whose `raw_events` the connection shows.

        Args:
            connection: knows the macros, the mappings, `raw_events` and the variable `hour_end`.
            hour: whose events; what was missing in its window has been made.

        Raises:
            LakeError: a pruned hour of the window has links that today's version cannot read.
        """
        hours = [each for each in self._window(hour) if self._exists(each)]
        self._ensure_readable(hours, partition(TABLE, hour))
        # Most often all workspaces look back equally far, and then no row has to be asked for its workspace.
        too_old = [
            f"(workspace in ({', '.join(map(literal, workspaces))}) and file_index < {earlier})"
            for window, workspaces in self._mappings.identity_windows.items()
            if (earlier := sum(each <= hour - window for each in hours))
        ]
        links = self._storage.scan((partition(TABLE, each) for each in hours), options="file_row_number = true")
        connection.execute(
            f"create or replace temp view links as select *, file_index from {links} "
            f"{'where not (' + ' or '.join(too_old) + ')' if too_old else ''}"
        )
        for name in ("known_devices", "profiles", "linked_events"):
            connection.execute(sql(name))

    def _ensure_readable(self, hours: Sequence[datetime], today: str) -> None:
        """Sees that links which could not be made again have the columns that they have today."""
        older = [partition(TABLE, each) for each in set(hours) - self._current(hours)]
        if not older:
            return
        with self._lake.connect() as connection:
            unlike = connection.execute(
                f"""
                with files as (
                    select file_name, list((name, type, converted_type, logical_type) order by name) as columns
                    from {self._storage.schemas([*older, today])}
                    group by file_name
                )

                select min(file_name) from files
                where columns != (select columns from files where ends_with(file_name, {literal(today)}))
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
        """The hours whose links are there and of today's version.

        The window of a range's next hour is nearly the same, so that files which did not change are not opened again.
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
        """Leave out the hours that no events landed in, where one walk costs less than a look for each.

        A young lake has no links of most hours of its window, and a look lists a folder of each workspace.
        """
        if len(hours) < MANY_MISSING:
            return hours
        try:
            landed = self._landing.hours(of_any_kind=True)
        except LakeError:
            return hours  # a folder of none of them may be at fault
        return [each for each in hours if each in landed or self._storage.exists(partition(Table.RAW_EVENTS, each))]

    def _source(self, hour: datetime) -> Sequence[object]:
        """What the links of an hour are made from, as it is at this moment; nothing where nothing landed."""
        raw_events = partition(Table.RAW_EVENTS, hour)
        if self._is_of_today(raw_events):
            return self._storage.fingerprint(raw_events) or ()
        return self._landing.listing(hour) or self._storage.fingerprint(raw_events) or ()

    def _is_of_today(self, raw_events: str) -> bool:
        """Whether raw events were read by today's version: an older one may not have understood a refusal in them."""
        with self._lake.connect_with_macros() as connection:
            return noted_raw_events_recipe(self._storage.notes(connection, raw_events)) == raw_events_recipe()

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
            sources = dict.fromkeys(workspaces_in(connection, "raw_events"), raw_events_recipe())
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
                    return 0  # read again meanwhile, and so made again by whoever asked
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
