"""The hourly assets of one table each: `identity_links`, `conversion_payloads` and `parameter_completeness`.

`filtered_events` reads the links of the whole identity window but depends on its own hour alone: with a window mapping,
a backfill of two hours would materialize, and so send, hundreds of later hours. A step that needs the links of an
earlier hour makes them first if they are missing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg

from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import table_asset
from snap_pipeline.pipeline import Pipeline


class DerivedTable(NamedTuple):
    """The definition of an asset of one table.

    Attributes:
        table: its name.
        description: meaning of a row.
        group: in Dagster's graph.
        deps: the tables it is made from.
        make: makes an hour, and returns the number of rows and further numbers for the partition's metadata.
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
        "What an hour's events tell about each anonymous id: its user id, hashed identifiers, click ids, consent.",
        "events",
        [Table.RAW_EVENTS],
        _make_links,
    ),
    DerivedTable(
        Table.CONVERSION_PAYLOADS,
        "Conversions with hashed identifiers, values and items, the same for every destination.",
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
