"""Recipes: digests of everything that decides what an hour's table holds of a workspace.

A recipe covers the SQL, the mappings, the workspace's settings and the rules in Python. Each partition notes the
recipes of the workspaces in it, so that `status` can tell which hours would turn out differently today, and delivery
which events were let through by other rules of consent. A recipe builds on the one that the table's source notes: what
was made today from old rows is still of an old recipe. Two things count as made today though they are older, since
they cannot be made again: rows of landing files that are gone, and identity links of pruned hours.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import duckdb

from snap_pipeline.lake.macros import MACRO_FILES
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table
from snap_pipeline.workspaces import Workspace

PYTHON_RULES = 2
"""The version of the rules in Python. Raise it with every change that changes what tables hold: which lines are events
(`raw.py`, `hour_reader.py`, `text_files.py`, `json_documents.py`), which links an hour sees (`identity.py`), where
plaintext is searched for (`plaintext.py`)."""

SOURCES: Mapping[Table, Table] = {
    Table.IDENTITY_LINKS: Table.RAW_EVENTS,
    Table.FILTERED_EVENTS: Table.RAW_EVENTS,
    Table.CONVERSION_PAYLOADS: Table.FILTERED_EVENTS,
    Table.PARAMETER_COMPLETENESS: Table.CONVERSION_PAYLOADS,
}
"""The table that each table is made from, hour by hour."""


@dataclass(frozen=True)
class Ingredients:
    """The ingredients of a recipe, besides the recipe of the table's source.

    Attributes:
        sql: names of files in `sql/`.
        mappings: names of mapping tables.
        settings: keys of a workspace in `workspaces.toml`.
    """

    sql: tuple[str, ...]
    mappings: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


INGREDIENTS: Mapping[Table, Ingredients] = {
    Table.RAW_EVENTS: Ingredients(
        (
            "landed_event",
            "match_field_names",
            "numbered_lines",
            "file_lines",
            "quarantined_lines",
            "raw_events",
            "forgotten_events",
            "placeholder_pattern",
        ),
        ("placeholder_ids",),
        ("event_id_property",),
    ),
    Table.IDENTITY_LINKS: Ingredients(("identity_links",), ("consent_purposes",), ("default_calling_code",)),
    # The links of its window among them, which are made again where they are of an older version.
    Table.FILTERED_EVENTS: Ingredients(
        (
            "event_names",
            "action_sources",
            "identity_links",
            "known_devices",
            "profiles",
            "linked_events",
            "verdicts",
            "filtered_events",
            "excluded_events",
        ),
        ("event_names", "snap_event_names", "internal_events", "consent_purposes", "order_statuses", "action_sources"),
        (
            "unknown_consent",
            "unmapped_events",
            "identity_window_days",
            "click_window_days",
            "max_devices_per_person",
            "default_calling_code",
        ),
    ),
    Table.CONVERSION_PAYLOADS: Ingredients(
        ("baskets", "devices", "conversion_payloads", "plaintext_columns", "time_zones"),
        ("currencies", "currency_decimals", "currency_symbols", "time_zones"),
        ("site_url", "default_currency", "default_calling_code", "hash_external_id"),
    ),
    Table.PARAMETER_COMPLETENESS: Ingredients(("parameter_completeness",)),
}
"""Besides the macros, which all tables share."""

CONSENT_MACROS = ("macros/consent_strings", "macros/consent_forms", "macros/consent")
"""Files of macros that read consent."""

CONSENT_INGREDIENTS: Mapping[Table, Ingredients] = {
    Table.RAW_EVENTS: Ingredients(
        (*CONSENT_MACROS, "macros/names", "macros/identity", "landed_event", "raw_events", "placeholder_pattern"),
        ("placeholder_ids",),
    ),
    Table.FILTERED_EVENTS: Ingredients(
        (
            *CONSENT_MACROS,
            "macros/names",
            "macros/identity",
            "identity_links",
            "known_devices",
            "linked_events",
            "verdicts",
        ),
        ("consent_purposes",),
        ("unknown_consent", "identity_window_days", "max_devices_per_person"),
    ),
}
"""Ingredients that decide whose events may be sent, in the tables where that is decided; later tables inherit it.

Delivery holds back events whose consent was decided by others, so that ingredients which only change the spelling of a
value must stay out."""


class Recipe(NamedTuple):
    """The recipe of one table for one workspace.

    Attributes:
        digest: of everything that decides what the table holds.
        consent: of what decides whose events may be sent.
    """

    digest: str
    consent: str


UNKNOWN = Recipe("", "")
"""The recipe of rows that an earlier version of the pipeline made."""


class Recipes:
    """The recipes under the settings and mappings of one moment.

    Args:
        workspaces: by name.
        mapping_digests: of each mapping table, seed and home together.
    """

    def __init__(self, workspaces: Mapping[str, Workspace], mapping_digests: Mapping[str, str]) -> None:
        self._workspaces, self._mapping_digests = workspaces, mapping_digests
        self._current: dict[tuple[Table, str], Recipe] = {}

    def code_version(self, table: Table) -> str:
        """Return what Dagster shows as a table's code version: a digest of SQL, mappings and rules in Python.

        It is one for all workspaces, so that it covers no settings.
        """
        ingredients = INGREDIENTS[table]
        return _digest(_sql_of(table), self._mappings(ingredients), PYTHON_RULES)

    def current(self, table: Table, workspace: str) -> Recipe:
        """Return the recipe that a table has when all that it derives from is made today."""
        key = table, workspace
        if key not in self._current:
            source = SOURCES.get(table)
            self._current[key] = self._of(table, workspace, self.current(source, workspace) if source else UNKNOWN)
        return self._current[key]

    @property
    def links_version(self) -> str:
        """The digest that changes when links have other columns, or say other things of who somebody is and chose.

        Links of another version are made again when an hour needs them, up to a month of hours. So what only spells a
        value otherwise, as a macro that normalizes names, does not count here; of the mappings, those of consent and of
        ids that stand for nobody do.
        """
        return _links_version(self._mapping_digests["consent_purposes"], self._mapping_digests["placeholder_ids"])

    @property
    def raw_events(self) -> Recipe:
        """The recipe of `raw_events`, but for the one setting of a workspace on which they depend."""
        return raw_events_recipe(tuple(self._mappings(INGREDIENTS[Table.RAW_EVENTS])))

    @property
    def raw_events_notes(self) -> dict[str, Any]:
        """The notes of a partition of `raw_events` that is made now."""
        recipe = self.raw_events
        named = {name: w.event_id_property for name, w in self._workspaces.items() if w.event_id_property}
        return {"recipe": recipe.digest, "consent_recipe": recipe.consent, "event_id_properties": named}

    def notes(self, table: Table, sources: Mapping[str, Recipe]) -> dict[str, Any]:
        """Return what a partition notes that is made now.

        Args:
            table: of the partition.
            sources: the recipes of the rows that it is made from, by workspace.
        """
        made = {workspace: self._of(table, workspace, source) for workspace, source in sources.items()}
        return {
            "recipes": {workspace: recipe.digest for workspace, recipe in made.items()},
            "consent_recipes": {workspace: recipe.consent for workspace, recipe in made.items()},
        }

    def outdated_workspaces(self, noted: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return the workspaces of which an hour's tables are of another recipe.

        A workspace that is no longer configured has no recipe today, and is left out.

        Args:
            noted: the digests that the hour's partitions note, by table and workspace.
        """
        return sorted(
            {
                workspace
                for table, digests in noted.items()
                for workspace, digest in digests.items()
                if workspace in self._workspaces and digest != self.current(Table(table), workspace).digest
            }
        )

    def is_consent_current(self, workspace: str, noted: Mapping[str, str]) -> bool:
        """Tell whether today's rules decided whose events of a workspace are conversions.

        Args:
            workspace: its name.
            noted: the consent digests of the hour's payloads, by workspace.
        """
        return noted.get(workspace) == self.current(Table.CONVERSION_PAYLOADS, workspace).consent

    def _of(self, table: Table, workspace: str, source: Recipe) -> Recipe:
        if table == Table.RAW_EVENTS:
            settings = self._workspaces.get(workspace)
            return _with_event_ids(self.raw_events, settings.event_id_property if settings else None)
        digest = _digest(source.digest, self.code_version(table), self._settings(INGREDIENTS[table], workspace))
        consent = source.consent
        if table in CONSENT_INGREDIENTS:
            ingredients = CONSENT_INGREDIENTS[table]
            consent = _digest(
                source.consent,
                _sql_digest(ingredients.sql),
                self._mappings(ingredients),
                self._settings(ingredients, workspace),
                PYTHON_RULES,
            )
        return Recipe(digest, consent)

    def _mappings(self, ingredients: Ingredients) -> Sequence[str]:
        return [self._mapping_digests[name] for name in ingredients.mappings]

    def _settings(self, ingredients: Ingredients, workspace: str) -> Mapping[str, object]:
        settings = self._workspaces.get(workspace)
        return {name: getattr(settings, name) if settings else None for name in ingredients.settings}


@cache
def raw_events_recipe(mappings: tuple[str, ...]) -> Recipe:
    """Return the recipe of `raw_events` under the digests of its mapping tables."""
    consent = _digest(_sql_digest(CONSENT_INGREDIENTS[Table.RAW_EVENTS].sql), mappings, PYTHON_RULES)
    return Recipe(_digest(_sql_of(Table.RAW_EVENTS), mappings, PYTHON_RULES), consent)


def noted_recipes(notes: Mapping[str, Any]) -> Mapping[str, Recipe]:
    """Return the recipes that a partition notes, by workspace; none where an earlier version made it."""
    consents = notes.get("consent_recipes", {})
    return {name: Recipe(digest, consents.get(name, "")) for name, digest in notes.get("recipes", {}).items()}


def noted_raw_events_recipe(notes: Mapping[str, Any], workspace: str | None = None) -> Recipe:
    """Return the recipe that a partition of `raw_events` notes: of a workspace, or of all but for its setting."""
    recipe = Recipe(notes.get("recipe", ""), notes.get("consent_recipe", ""))
    return _with_event_ids(recipe, notes.get("event_id_properties", {}).get(workspace))


def _with_event_ids(recipe: Recipe, event_id_property: str | None) -> Recipe:
    """Return the recipe of a workspace's `raw_events`; the setting decides ids, and nothing of consent."""
    return Recipe(_digest(recipe.digest, event_id_property), recipe.consent) if event_id_property else recipe


def workspaces_in(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the workspaces that have rows in a table or view of the connection."""
    rows = connection.execute(f"select distinct workspace from {table} order by workspace").fetchall()
    return [workspace for (workspace,) in rows]


@cache
def _links_version(*mappings: str) -> str:
    names = ("macros/identity", *CONSENT_MACROS, "placeholder_pattern", *INGREDIENTS[Table.IDENTITY_LINKS].sql)
    texts = [*map(sql, names), *mappings]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


@cache
def _sql_of(table: Table) -> str:
    return _sql_digest((*(f"macros/{name}" for name in MACRO_FILES), *INGREDIENTS[table].sql))


@cache
def _sql_digest(names: Iterable[str]) -> str:
    return _digest(*map(sql, names))


def _digest(*parts: object) -> str:
    """Return twelve hex digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
