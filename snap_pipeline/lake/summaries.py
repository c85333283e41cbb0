"""Summaries of hours: rows by table, workspace and reason, recipes, and the landing files that were read.

Opening the footers of a year of wide files takes seconds. So the checks of a run count its hours once, and store the
numbers beside them. A summary is valid as long as the fingerprints of its partitions are unchanged.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.damage import DamagedPartition
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, Listing
from snap_pipeline.lake.raw import read_listings
from snap_pipeline.lake.recipes import UNKNOWN, Recipe, noted_recipes
from snap_pipeline.lake.storage import Table, hour_of, is_same_version, partition

FILE = "_summary.json"
REASONS = {
    Table.RAW_EVENTS: "null",
    Table.QUARANTINED_LINES: "reason",
    Table.EXCLUDED_EVENTS: "reason",
    Table.CONVERSION_PAYLOADS: "null",
}
"""Tables that are counted, each with the column of its reasons."""
WITH_RECIPES = (Table.IDENTITY_LINKS, Table.FILTERED_EVENTS, Table.CONVERSION_PAYLOADS)
"""The tables whose recipes tell whether an hour would turn out differently today; they cover `raw_events` as well."""
TABLES = tuple(dict.fromkeys((*REASONS, *WITH_RECIPES)))


class Count(NamedTuple):
    """Number of a table's rows by workspace and, in tables of excluded rows, by reason."""

    table: str
    workspace: str
    reason: str | None
    rows: int


@dataclass(frozen=True)
class Summary:
    """Summary of one hour.

    Attributes:
        counts: counts of the tables in `REASONS`.
        recipes: the digests that each partition notes, by table in `WITH_RECIPES` and workspace.
        consent_recipes: the consent digests that the payloads note, by workspace.
        listing: the landing files that `raw_events` was made from.
        payloads_are_current: True if the payloads derive from these raw events.
        damaged: the error because of which the hour could not be counted; the rest is empty then.
    """

    counts: Sequence[Count] = ()
    recipes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    consent_recipes: Mapping[str, str] = field(default_factory=dict)
    listing: Listing = ()
    payloads_are_current: bool = False
    damaged: DamagedPartition | None = None

    @property
    def conversions(self) -> Mapping[str, int]:
        """Number of conversions by workspace; workspaces without any are left out."""
        return {each.workspace: each.rows for each in self.counts if each.table == Table.CONVERSION_PAYLOADS}


class Summaries:
    """Cache of the summaries of one lake, valid while the fingerprints of its partitions are unchanged."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._storage = lake, lake.storage
        self._read: dict[datetime, tuple[Mapping[Table, Any], Summary]] = {}

    def of(self, hours: Iterable[datetime]) -> Mapping[datetime, Summary]:
        """Return the summary of each hour, in the order given; empty for an hour without files.

        Hours that were never counted, or have changed since, are counted together, with one query for each table. A
        damaged hour reports its damage and does not keep others from being counted.
        """
        summaries: dict[datetime, Summary] = {}
        changed: dict[datetime, Any] = {}
        for hour in hours:
            # Taken before counting: a partition that is replaced meanwhile is counted again the next time.
            fingerprints = {table: self._storage.fingerprint(partition(table, hour)) for table in TABLES}
            remembered = self._cached(hour, fingerprints)
            if remembered:
                self._read[hour] = fingerprints, remembered
            summaries[hour] = remembered or Summary()
            if remembered is None and any(fingerprints.values()):
                changed[hour] = fingerprints
        if changed:
            counted = self._count_around_damage(changed)
            for hour, fingerprints in changed.items():
                summaries[hour] = counted[hour]
                if counted[hour].damaged:
                    continue
                # A user who may only read the lake counts again the next time.
                with suppress(OSError):
                    self._remember(hour, fingerprints, counted[hour])
        return summaries

    def _count_around_damage(self, hours: Iterable[datetime]) -> Mapping[datetime, Summary]:
        left, damaged = list(hours), dict[datetime, Summary]()
        while True:
            try:
                return {**self._count(left), **damaged}
            except DamagedPartition as error:
                hour = parse_hour(error.hour) if error.hour else None
                if hour not in left:
                    raise
                left.remove(hour)
                damaged[hour] = Summary(damaged=error)

    def _count(self, hours: Iterable[datetime]) -> Mapping[datetime, Summary]:
        counts: dict[datetime, list[Count]] = defaultdict(list)
        recipes: dict[datetime, dict[str, Mapping[str, Recipe]]] = defaultdict(dict)
        with self._lake.connect() as connection:
            for table in TABLES:
                keys = self._storage.existing(partition(table, hour) for hour in hours)
                if not keys:
                    continue
                if table in REASONS:
                    rows = connection.execute(
                        f"""
                        select hour, workspace, {REASONS[table]} as reason, count(*)
                        from {self._storage.scan(keys, hive=True)}
                        group by all
                        order by all
                        """
                    ).fetchall()
                    for hour, workspace, reason, events in rows:
                        counts[parse_hour(hour)].append(Count(table, workspace, reason, events))
                if table in WITH_RECIPES:
                    for key, notes in self._storage.notes_of(connection, keys).items():
                        hour = hour_of(key)
                        # Earlier versions noted one code version for all workspaces.
                        is_earlier = "recipes" not in notes and "code_version" in notes
                        unknown = dict.fromkeys({each.workspace for each in counts[hour]}, UNKNOWN)
                        recipes[hour][table] = unknown if is_earlier else noted_recipes(notes)
            listings = read_listings(self._lake, connection, hours)
            payloads_are_current = self._lake.hours_with_current_payloads(connection, hours)
        return {
            hour: Summary(
                counts[hour],
                {table: {name: each.digest for name, each in noted.items()} for table, noted in recipes[hour].items()},
                {name: each.consent for name, each in recipes[hour].get("conversion_payloads", {}).items()},
                listings.get(hour, ()),
                hour in payloads_are_current,
            )
            for hour in hours
        }

    def _cached(self, hour: datetime, fingerprints: Mapping[Table, Any]) -> Summary | None:
        before, summary = self._read.get(hour, ({}, None))
        if summary and before == fingerprints:
            return summary
        try:
            content = json.loads(self._storage.read(_key(hour)) or "null")
        except ValueError:  # a power cut can leave it empty
            return None
        # Those of an older version do not say by which recipes their tables were made.
        if content is None or "recipes" not in content or not _is_made_from(content["made_from"], fingerprints):
            return None
        return Summary(
            [Count(*count) for count in content["counts"]],
            content["recipes"],
            content["consent_recipes"],
            [LandedFile(**file) for file in content["listing"]],
            content["carried_through"],
        )

    def _remember(self, hour: datetime, fingerprints: Mapping[Table, Any], summary: Summary) -> None:
        content = {
            "made_from": fingerprints,
            "counts": summary.counts,
            "recipes": summary.recipes,
            "consent_recipes": summary.consent_recipes,
            "listing": [file.as_note() for file in summary.listing],
            "carried_through": summary.payloads_are_current,
        }
        self._storage.put(_key(hour), json.dumps(content), durable=False)


def _is_made_from(noted: Mapping[str, Any], fingerprints: Mapping[Table, Any]) -> bool:
    return noted.keys() == fingerprints.keys() and all(
        is_same_version(noted[table], fingerprint) for table, fingerprint in fingerprints.items()
    )


def _key(hour: datetime) -> str:
    return f"{Table.RAW_EVENTS}/hour={format_hour(hour)}/{FILE}"
