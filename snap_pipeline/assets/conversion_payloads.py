"""`conversion_payloads`: each conversion enriched, normalized and hashed, ready for either version of the API.

From here on no plaintext e-mail or phone exists. Destinations differ in what they get of a row, not in the row.
"""

from collections.abc import Iterator

import dagster as dg

from snap_pipeline.assets.hourly import (
    BACKFILL_POLICY,
    describe_partition,
    hours_of,
    table_results,
    table_spec,
)
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset over `filtered_events`."""

    @dg.multi_asset(
        name="conversion_payloads",
        specs=[
            table_spec(
                "conversion_payloads",
                "Conversions with hashed identifiers, values and items: neutral to destinations.",
                group="conversions",
                partitions=partitions,
                deps=["filtered_events"],
                code_version=pipeline.transformations.version("conversion_payloads"),
            )
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def conversion_payloads(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        for key, hour in hours_of(context):
            made = pipeline.transformations.make_conversion_payloads(hour)
            numbers = {f"unusable/{kind}": events for kind, events in made.dropped.items()}
            numbers |= {f"linked/{parameter}": events for parameter, events in made.linked.items()}
            describe_partition(context, pipeline.lake, "conversion_payloads", key, made.rows, numbers)
        yield from table_results(context, pipeline.lake, "conversion_payloads")

    return conversion_payloads
