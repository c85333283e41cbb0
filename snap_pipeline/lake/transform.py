"""Transformation of raw events into payloads: the SQL of each table, run for one hour.

The files in `sql/` decide the content; this module, which partitions a step reads and writes, and in which order.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb

from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake.damage import DamagedPartition
from snap_pipeline.lake.identity import IdentityLinks
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.payload_partitions import payload_rows
from snap_pipeline.lake.plaintext import with_plaintext_columns
from snap_pipeline.lake.recipes import SOURCES, Recipes, noted_raw_events_recipe, noted_recipes, workspaces_in
from snap_pipeline.lake.row_errors import DATA_ERRORS
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, is_same_version, literal, partition
from snap_pipeline.lake.unprocessable import quarantine_events, unprocessable_rows


class MissingPartition(PipelineError):
    """A step ran before the step that it reads from."""


class OutdatedPartition(PipelineError):
    """A step reads a partition of an earlier version of the pipeline, which lacks columns."""


@dataclass(frozen=True)
class FilteredHour:
    """Counts of an hour's kept and excluded events."""

    kept: int
    excluded: Mapping[str, int]
    made_links: int
    """Number of earlier hours with missing identity links, which were made first."""
    unknown_words: Mapping[str, int]
    """Number of kept events that say with an unknown word where they happened, by field and word."""
    unread_consents: int
    """Number of events that say something about consent which cannot be read."""
    people_set_aside: int
    """Number of ids that more devices share than one person has, so that they count as nobody's."""


NOTHING_FILTERED = FilteredHour(0, {}, 0, {}, 0, 0)


@dataclass(frozen=True)
class PayloadHour:
    """Counts of an hour's payloads."""

    rows: int
    dropped: Mapping[str, int]
    """Number of values that were given but could not be used, by kind."""
    linked: Mapping[str, int]
    """Number of conversions that got a parameter from another event of the person, by parameter."""


class Transformations:
    """The set-based steps of one lake."""

    def __init__(self, lake: Lake, landing: LandingZone, mappings: Mappings) -> None:
        self._lake, self._storage, self._landing = lake, lake.storage, landing
        self._mappings = mappings
        self._identity = IdentityLinks(lake, landing, mappings)

    def version(self, table: Table) -> str:
        """Return the code version of a table, as Dagster shows it."""
        return self._mappings.recipes.code_version(table)

    def make_identity_links(self, hour: datetime) -> int:
        """Make `identity_links` and return its number of rows."""
        if self._lake.is_pruned(hour):
            return self._kept(Table.IDENTITY_LINKS, hour)
        self._ensure_partition(Table.RAW_EVENTS, hour)
        return self._identity.make(hour)

    def make_filtered_events(self, hour: datetime) -> FilteredHour:
        """Make `filtered_events` and `excluded_events`; every raw event is in exactly one of them.

        Damaged links of any hour in the identity window are made again on the way.

        Raises:
            LakeError: the links of another hour in the identity window could not be made.
        """
        while True:
            try:
                with self._explained(Table.RAW_EVENTS, hour):
                    return self._filter_with_links(hour)
            except DamagedPartition as damaged:
                self._identity.make_again(damaged)

    def _filter_with_links(self, hour: datetime) -> FilteredHour:
        if self._lake.is_pruned(hour):
            with self._lake.connect() as connection:
                reasons = self._reasons(connection, hour)
            return FilteredHour(self._kept(Table.CONVERSION_PAYLOADS, hour), reasons, 0, {}, 0, 0)
        made_links = self._identity.make_missing(hour)
        raw_events = partition(Table.RAW_EVENTS, hour)
        made, source = NOTHING_FILTERED, None
        # Other runs may read the hour again meanwhile: the tables must derive from one reading, the last.
        while source is None or source != self._storage.fingerprint(raw_events):
            self._identity.make_of_raw_events(hour)
            source = self._storage.fingerprint(raw_events)
            try:
                made = self._filter(hour, source)
            except DATA_ERRORS:
                if source == self._storage.fingerprint(raw_events) and not self._quarantine_unfilterable(hour):
                    raise
        with self._lake.connect() as connection:
            return replace(made, excluded=self._reasons(connection, hour), made_links=len(made_links))

    def make_conversion_payloads(self, hour: datetime) -> PayloadHour:
        """Make `conversion_payloads`: enriched, normalized, hashed, in the order of `filtered_events`."""
        if self._lake.is_pruned(hour):
            return PayloadHour(self._kept(Table.CONVERSION_PAYLOADS, hour), {}, {})
        with self._explained(Table.FILTERED_EVENTS, hour), self._lake.connect_with_macros() as connection:
            recipes = self._mappings.load(connection)
            self._view(connection, Table.FILTERED_EVENTS, hour)
            rows = self._write_payloads(connection, hour, recipes)
            # Another run may have read the hour again since its events were filtered, and failed then. Payloads of the
            # older reading would hide its raw events from the backlog.
            while rows is None or not self._is_of_these_raw_events(connection, hour):
                self.make_filtered_events(hour)
                rows = self._write_payloads(connection, hour, recipes)
            payloads = self._storage.scan([partition(Table.CONVERSION_PAYLOADS, hour)])
            dropped, linked = (
                connection.execute(
                    f"select name, count(*) from (select unnest({column}) as name from {payloads}) "
                    "group by name order by name"
                ).fetchall()
                for column in ("dropped", "linked")
            )
        return PayloadHour(rows, dict(dropped), dict(linked))

    def make_parameter_completeness(self, hour: datetime) -> int:
        """Make `parameter_completeness` and return its number of rows."""
        with self._lake.connect_with_macros() as connection:
            self._ensure_partition(Table.CONVERSION_PAYLOADS, hour)
            payloads = payload_rows(self._storage, [partition(Table.CONVERSION_PAYLOADS, hour)])
            connection.execute(f"create or replace temp view conversion_payloads as {payloads}")
            notes = self._recipe_notes(connection, Table.PARAMETER_COMPLETENESS, hour, self._mappings.recipes)
            return self._write(connection, Table.PARAMETER_COMPLETENESS, hour, notes)

    def _quarantine_unfilterable(self, hour: datetime) -> bool:
        """Quarantine the events on which filtering fails; return False if no single events are at fault."""
        with self._lake.connect_with_macros() as connection:
            self._mappings.load(connection)
            self._view(connection, Table.RAW_EVENTS, hour, numbered=True)
            connection.execute(f"set variable hour_end = {literal((hour + ONE_HOUR).replace(tzinfo=None))}::timestamp")

            def make() -> None:
                self._identity.load_linked_events(connection, hour)
                connection.execute(f"create or replace temp table verdicts as {sql('verdicts')}")
                with self._lake.keeping_order(connection):
                    for table in ("excluded_events", "filtered_events"):
                        connection.execute(f"create or replace temp table tried as {sql(table)}")

            found = unprocessable_rows(connection, "raw_events", "file_row_number", make)
        if found:
            quarantine_events(self._lake, self._landing, hour, found)
        return bool(found)

    def _write_payloads(self, connection: duckdb.DuckDBPyConnection, hour: datetime, recipes: Recipes) -> int | None:
        """Write `conversion_payloads`; return None if events were quarantined, so that the hour is filtered again."""
        filtered_events = partition(Table.FILTERED_EVENTS, hour)
        rows, source = 0, None
        try:
            # Another process may filter the events again meanwhile, by the settings that it was started with.
            while source is None or source != self._storage.fingerprint(filtered_events):
                source = self._storage.fingerprint(filtered_events)
                notes = self._recipe_notes(connection, Table.CONVERSION_PAYLOADS, hour, recipes)
                rows = self._write(connection, Table.CONVERSION_PAYLOADS, hour, notes)
        except DATA_ERRORS:
            raw_events = partition(Table.RAW_EVENTS, hour)
            if self._is_of_these_raw_events(connection, hour):
                query = self._query(Table.CONVERSION_PAYLOADS)
                found = unprocessable_rows(
                    connection,
                    "filtered_events",
                    "landed_row",
                    lambda: connection.execute(f"create or replace temp table tried as {query}"),
                )
                if not found or not self._storage.exists(raw_events):
                    raise
                quarantine_events(self._lake, self._landing, hour, found)
            self._view(connection, Table.FILTERED_EVENTS, hour)
            return None
        return rows

    def _filter(self, hour: datetime, source: Sequence[int] | None) -> FilteredHour:
        """Make both tables from the raw events of fingerprint `source`.

        Returns:
            the counts, without those of excluded events and of links that were made first.
        """
        with self._lake.connect_with_macros() as connection:
            recipes = self._mappings.load(connection)
            self._view(connection, Table.RAW_EVENTS, hour, numbered=True)
            notes = self._recipe_notes(connection, Table.FILTERED_EVENTS, hour, recipes)
            connection.execute(f"set variable hour_end = {literal((hour + ONE_HOUR).replace(tzinfo=None))}::timestamp")
            set_aside = self._identity.load_linked_events(connection, hour)
            connection.execute(f"create temp table verdicts as {sql('verdicts')}")
            with self._lake.keeping_order(connection):
                self._storage.commit(
                    connection,
                    partition(Table.EXCLUDED_EVENTS, hour),
                    sql("excluded_events"),
                    metadata=notes,
                )
                notes["made_from"] = source
                kept = self._write(connection, Table.FILTERED_EVENTS, hour, notes)
                # A join spills in parts if the profiles do not fit into memory, and then loses the order.
                if not self._is_in_landing_order(connection, hour):
                    kept = self._write(connection, Table.FILTERED_EVENTS, hour, notes, "order by landed_row")
            unread = connection.execute("select count(*) from verdicts where has_unread_consent").fetchone()
            unknown_words = connection.execute(
                "select word, count(*) from (select unnest(unknown_words) as word from verdicts where reason is null) "
                "group by word order by word"
            ).fetchall()
            return FilteredHour(kept, {}, 0, dict(unknown_words), unread[0] if unread else 0, set_aside)

    def _is_of_these_raw_events(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> bool:
        """Tell whether `filtered_events` derives from the current raw events; true if these are gone."""
        raw_events = self._storage.fingerprint(partition(Table.RAW_EVENTS, hour))
        notes = self._storage.notes(connection, partition(Table.FILTERED_EVENTS, hour))
        return raw_events is None or is_same_version(notes.get("made_from"), raw_events)

    def _recipe_notes(
        self, connection: duckdb.DuckDBPyConnection, table: Table, hour: datetime, recipes: Recipes
    ) -> dict[str, Any]:
        """Return what a partition notes of how it is made: its recipes, and the reading of landing files behind it.

        Args:
            connection: shows the table's source.
            table: of the partition.
            hour: of the partition.
            recipes: under the settings and mappings that it is made with.
        """
        source = SOURCES[table]
        noted = self._storage.notes(connection, partition(source, hour))
        if source == Table.RAW_EVENTS:
            made_by = {name: noted_raw_events_recipe(noted, name) for name in workspaces_in(connection, source)}
        else:
            made_by = dict(noted_recipes(noted))
        return {**recipes.notes(table, made_by), "reading": noted.get("reading")}

    def _kept(self, table: Table, hour: datetime) -> int:
        """Return the number of rows of a pruned hour's partition, which stays as it is."""
        with self._lake.connect() as connection:
            row = connection.execute(f"select count(*) from {self._storage.scan([partition(table, hour)])}").fetchone()
        return int(row[0]) if row else 0

    def _reasons(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> Mapping[str, int]:
        excluded = self._storage.scan([partition(Table.EXCLUDED_EVENTS, hour)])
        rows = connection.execute(f"select reason, count(*) from {excluded} group by reason order by reason")
        return dict(rows.fetchall())

    def _view(
        self, connection: duckdb.DuckDBPyConnection, table: Table, hour: datetime, *, numbered: bool = False
    ) -> None:
        self._ensure_partition(table, hour)
        source = self._storage.scan([partition(table, hour)], options="file_row_number = true" if numbered else "")
        connection.execute(f"create or replace temp view {table} as from {source}")

    @contextmanager
    def _explained(self, source: Table, hour: datetime) -> Iterator[None]:
        """Say what to do where the source of a step lacks columns, since an earlier version made it."""
        try:
            yield
        except duckdb.BinderException:
            if not self._is_of_another_recipe(source, hour):
                raise
            key = format_hour(hour)
            raise OutdatedPartition(
                f"{source} of {key} was made by an earlier version of the pipeline. Make all tables of the hour again: "
                f"`snap-pipeline materialize --from {key} --to {key}`."
            ) from None

    def _is_of_another_recipe(self, table: Table, hour: datetime) -> bool:
        with self._lake.connect() as connection:
            notes = self._storage.notes(connection, partition(table, hour))
        recipes = self._mappings.recipes
        if table == Table.RAW_EVENTS:
            return noted_raw_events_recipe(notes) != recipes.raw_events
        digests = {workspace: recipe.digest for workspace, recipe in noted_recipes(notes).items()}
        return not digests or bool(recipes.outdated_workspaces({table: digests}))

    def _ensure_partition(self, table: Table, hour: datetime) -> None:
        if not self._storage.exists(partition(table, hour)):
            raise MissingPartition(f"{table} has no partition for this hour yet: materialize it first.")

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        hour: datetime,
        notes: Mapping[str, Any],
        order: str = "",
    ) -> int:
        return self._storage.commit(connection, partition(table, hour), f"{self._query(table)} {order}", metadata=notes)

    @staticmethod
    def _query(table: Table) -> str:
        """Return the SQL of a table; that of payloads includes the search for plaintext."""
        if table == Table.CONVERSION_PAYLOADS:
            return with_plaintext_columns(
                f"with baskets as ({sql('baskets')}), devices as ({sql('devices')}) from ({sql(table)})"
            )
        return sql(table)

    def _is_in_landing_order(self, connection: duckdb.DuckDBPyConnection, hour: datetime) -> bool:
        filtered = self._storage.scan([partition(Table.FILTERED_EVENTS, hour)])
        row = connection.execute(
            f"""
            select bool_and(coalesce(landed_row > row_before, true)) from (
                select landed_row, lag(landed_row) over () as row_before
                from {filtered}
            )
            """
        ).fetchone()
        return row is None or row[0] is not False
