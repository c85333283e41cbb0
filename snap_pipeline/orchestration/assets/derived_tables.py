"""The hourly assets of one table each: `identity_links`, `conversion_payloads` and `parameter_completeness`.

`filtered_events` reads the links of the whole identity window but depends on its own hour alone: a window mapping would
let a backfill of two hours take in, and so send, hundreds of hours after them. Where links of an earlier hour are
missing, the step that reads them makes them first.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg

from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import table_asset
from snap_pipeline.pipeline import Pipeline


class DerivedTable(NamedTuple):
    """One table.

    Attributes:
        table: its name.
        description: what a row is.
        group: in Dagster's graph.
        deps: the tables that an hour is made from.
        make: makes an hour, and returns its rows and what else the partition's metadata says.
    """

    table: Table
    description: str
    group: str
    deps: Sequence[Table]
    make: Callable[[Pipeline, datetime], tuple[int, Mapping[str, int]]]


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """Build the assets."""
    return [
        table_asset(
            row.table,
            row.description,
            row.make,
            group=row.group,
            partitions=partitions,
            deps=row.deps,
            code_version=pipeline.transformations.version(row.table),
        )
        for row in DERIVED_TABLES
    ]


def _make_links(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
    return pipeline.transformations.make_identity_links(hour), {}


def _make_payloads(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
    made = pipeline.transformations.make_conversion_payloads(hour)
    unusable = {f"unusable/{kind}": events for kind, events in made.dropped.items()}
    linked = {f"linked/{parameter}": events for parameter, events in made.linked.items()}
    return made.rows, unusable | linked


def _make_completeness(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
    return pipeline.transformations.make_parameter_completeness(hour), {}


DERIVED_TABLES = (
    DerivedTable(
        Table.IDENTITY_LINKS,
        "What an hour's events say of each anonymous id: its user id, hashed identifiers, click ids, consent.",
        "events",
        [Table.RAW_EVENTS],
        _make_links,
    ),
    DerivedTable(
        Table.CONVERSION_PAYLOADS,
        "Conversions with hashed identifiers, values and items: neutral to destinations.",
        "conversions",
        [Table.FILTERED_EVENTS],
        _make_payloads,
    ),
    DerivedTable(
        Table.PARAMETER_COMPLETENESS,
        "Counts of each match parameter by workspace, event name and conversion type.",
        "conversions",
        [Table.CONVERSION_PAYLOADS],
        _make_completeness,
    ),
)
