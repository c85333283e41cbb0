"""Mapping tables: seeds that the pipeline and dbt share, and their overrides in the home.

`mappings/<seed>.csv` in the home has the seed's columns. Its rows override the seed's rows of the same name, so that an
upgrade of the seeds does not conflict with a customer's names.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock

import duckdb

from snap_pipeline.errors import SettingsError
from snap_pipeline.lake.mapping_checks import check_mappings, misspelled_targets
from snap_pipeline.lake.recipes import Recipes
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import literal
from snap_pipeline.project_files import SEEDS
from snap_pipeline.workspaces import Workspace

COLUMNS = {
    "event_names": ("source_name", "snap_name", "workspace"),
    "internal_events": ("event_name",),
    "consent_purposes": ("purpose", "meaning"),
    "action_sources": ("word", "conversion_type", "field"),
    "time_zones": ("time_zone", "utc_offset_minutes", "abbreviation"),
    "currencies": ("currency", "accepted_by_snap"),
    "currency_decimals": ("currency", "decimals"),
    "currency_symbols": ("symbol", "currency"),
    "order_statuses": ("status", "is_completed"),
    "snap_event_names": ("snap_name",),
    "placeholder_ids": ("placeholder_id",),
}

STANDARDS = ("snap_event_names", "currencies")
"""Tables that delivery reads as well."""

Digests = Mapping[str, str]
"""Digests of the mapping tables by name, of seed and home together."""


class Mappings:
    """Seeds and their overrides in the home.

    Args:
        home_mappings: the folder of the home's CSV files; need not exist.
        workspaces: the workspaces by name.

    Raises:
        SettingsError: the folder holds a CSV that is no mapping table, or one without the columns of its seed.
    """

    def __init__(self, home_mappings: Path, workspaces: Mapping[str, Workspace]) -> None:
        self._home = home_mappings
        self._workspaces = workspaces
        self._loading = Lock()
        self._loaded: Digests | None = None
        for file in self.own_files:
            if file.stem not in COLUMNS:
                raise SettingsError(
                    f"{file} is not a mapping table. Rename or remove it. There are: "
                    f"{', '.join(f'{name}.csv' for name in COLUMNS)}."
                )
            _check_header(file)

    @property
    def identity_windows(self) -> Mapping[timedelta, Sequence[str]]:
        """Identity windows (how far back a person's events count), each with its workspaces."""
        windows: dict[timedelta, list[str]] = {}
        for workspace in self._workspaces.values():
            windows.setdefault(timedelta(days=workspace.identity_window_days), []).append(workspace.name)
        return windows

    def warnings(self) -> list[str]:
        """Return warnings about rows of the home's files that are valid and probably not meant."""
        return misspelled_targets(self._home, SEEDS)

    @property
    def own_files(self) -> tuple[Path, ...]:
        """The home's CSV files."""
        return tuple(sorted(self._home.glob("*.csv")))

    @property
    def digests(self) -> Digests:
        """Digests of the current files."""
        files = (*(SEEDS / f"{name}.csv" for name in COLUMNS), *self.own_files)
        return {name: _digest(file for file in files if file.stem == name) for name in COLUMNS}

    @property
    def recipes(self) -> Recipes:
        """The recipes under the mapping files and settings as they are now."""
        return Recipes(self._workspaces, self.digests)

    def load(self, connection: duckdb.DuckDBPyConnection) -> Recipes:
        """Create the tables and variables that transformations read, on a connection with macros.

        A database reads the files once, and again where they have changed. Returns the recipes under what it read, for
        the notes of partitions that are made with it.

        Raises:
            SettingsError: one of the home's files lacks a column, holds an invalid value, or contradicts itself.
        """
        with self._loading:
            if self._loaded != (digests := self.digests):
                self._read(connection)
                self._loaded = digests
        connection.execute(
            """
            set variable currency_pattern = (select currency_pattern from mapping_variables);
            set variable workspace_settings = (select workspace_settings from mapping_variables);
            set variable consent_purposes = (select consent_purposes from mapping_variables);
            set variable placeholder_pattern = (select placeholder_pattern from mapping_variables);
            set variable currency_symbols = (select currency_symbols from mapping_variables);
            set variable currency_decimals = (select currency_decimals from mapping_variables);
            set variable incomplete_order_statuses = (select incomplete_order_statuses from mapping_variables);
            set variable time_zones = (select time_zones from mapping_variables);
            set variable event_id_properties = (select event_id_properties from mapping_variables);
            """
        )
        return Recipes(self._workspaces, digests)

    def _read(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.load_standards(connection)
        self._load_workspaces(connection)
        for name in COLUMNS.keys() - STANDARDS:
            self._load_seed(connection, name)
        check_mappings(connection, self._home)
        connection.execute(
            f"""
            create or replace table event_names as {sql("event_names")};
            create or replace table internal_events as
                select distinct folded_name(event_name) as folded from internal_events_rows;
            create or replace table action_sources as {sql("action_sources")};
            create or replace table mapping_variables as select
                (select '^(?:' || string_agg(regexp_escape(currency), '|') || ')$' from currencies) as currency_pattern,
                (select map_from_entries(list((name, workspaces))) from workspaces) as workspace_settings,
                (
                    select map_from_entries(list((folded, meaning))) from (
                        select folded_name(purpose) as folded,
                            arg_max(lower(trimmed_or_empty(meaning)), origin = 'home') as meaning
                        from consent_purposes_rows group by all
                    )
                ) as consent_purposes,
                (
                    select map_from_entries(list((folded, currencies))) from (
                        select folded, list(distinct currency order by currency) as currencies from (
                            select folded_symbol(symbol) as folded, upper(trim(currency)) as currency
                            from currency_symbols_rows
                            qualify origin = 'home' or not bool_or(origin = 'home') over (partition by folded)
                        ) group by all
                    )
                ) as currency_symbols,
                (
                    select map_from_entries(list((currency, decimals))) from (
                        select currency, arg_max(decimals::utinyint, origin = 'home') as decimals
                        from currency_decimals_rows group by all
                    )
                ) as currency_decimals,
                (
                    select list(folded order by folded) from (
                        select folded_name(status) as folded,
                            arg_max(is_completed::boolean, origin = 'home') as is_completed
                        from order_statuses_rows group by all
                    ) where not is_completed
                ) as incomplete_order_statuses,
                ({sql("placeholder_pattern")}) as placeholder_pattern,
                ({sql("time_zones")}) as time_zones,
                -- Null where no workspace names a property, so that reading costs nothing.
                (
                    select map_from_entries(list((name, event_id_property))) from workspaces
                    where event_id_property is not null
                ) as event_id_properties;
            """
        )

    def load_standards(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables of Snap's event names and currencies, which delivery reads in databases of its own.

        Raises:
            SettingsError: one of the home's files lacks a column, or holds an invalid value.
        """
        self._load_seed(connection, "snap_event_names")
        self._load_seed(connection, "currencies")
        try:
            connection.execute(
                """
                create or replace table snap_event_names as select snap_name from snap_event_names_rows;
                create or replace table currencies as
                    select
                        currency,
                        arg_max(accepted_by_snap::boolean, origin = 'home') as accepted_by_snap
                    from currencies_rows group by currency;
                """
            )
        except duckdb.ConversionException as error:
            raise SettingsError(
                f"{self._home / 'currencies.csv'} cannot be used: accepted_by_snap must be true or false in each row."
            ) from error

    def _load_seed(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        columns = ", ".join(COLUMNS[name])
        own = self._home / f"{name}.csv"
        reads = [f"select {columns}, 'seed' as origin from {_read_csv(SEEDS / f'{name}.csv')}"]
        if own.exists():
            reads.append(f"select {columns}, 'home' as origin from {_read_csv(own)}")
        try:
            connection.execute(f"create or replace table {name}_rows as {' union all '.join(reads)}")
        except (duckdb.BinderException, duckdb.InvalidInputException) as error:
            raise SettingsError(
                f"{own} cannot be read: each row must have the columns {','.join(COLUMNS[name])}, in UTF-8. "
                f"{str(error).splitlines()[0]}"
            ) from error

    def _load_workspaces(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the table `workspaces` in one statement, however many there are."""
        connection.execute(
            """
            create or replace table workspaces as select unnest(
                from_json(
                    ?,
                    '[{
                        "name": "VARCHAR", "site_url": "VARCHAR", "default_currency": "VARCHAR",
                        "default_calling_code": "VARCHAR", "unknown_consent": "VARCHAR", "unmapped_events": "VARCHAR",
                        "identity_window_days": "INTEGER", "click_window_days": "INTEGER",
                        "max_devices_per_person": "INTEGER", "hash_external_id": "BOOLEAN",
                        "event_id_property": "VARCHAR"
                    }]'
                ),
                max_depth := 2
            )
            """,
            [json.dumps([workspace.model_dump() for workspace in self._workspaces.values()])],
        )


def _check_header(file: Path) -> None:
    """Check a file's header at start-up, before DuckDB would fail on it later with a message of its own."""
    columns = COLUMNS[file.stem]
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            header = next((row for row in csv.reader(stream) if row), [])
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    given = {name.strip().lower() for name in header}
    missing = [name for name in columns if name not in given]
    if missing:
        raise SettingsError(
            f"{file} has no column {', '.join(missing)}. Its first line must be {','.join(columns)}, with commas."
        )


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for number, file in enumerate(files):
        with file.open("rb") as stream:
            digest.update(b"\0" * (number > 0) + stream.read())
    return digest.hexdigest()


def _read_csv(path: Path) -> str:
    return f"read_csv({literal(path)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
