"""`parameter_completeness`: how many conversions of the hour carry each parameter that Snap matches by.

Tiny, so that the seven-day match quality sums these and never reads events again.
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
    """The asset over `conversion_payloads`."""

    @dg.multi_asset(
        name="parameter_completeness",
        specs=[
            table_spec(
                "parameter_completeness",
                "Counts of each match parameter by workspace, event name and conversion type.",
                group="conversions",
                partitions=partitions,
                deps=["conversion_payloads"],
                code_version=pipeline.transformations.version("parameter_completeness"),
            )
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def parameter_completeness(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        for key, hour in hours_of(context):
            rows = pipeline.transformations.make_parameter_completeness(hour)
            describe_partition(context, pipeline.lake, "parameter_completeness", key, rows)
        yield from table_results(context, pipeline.lake, "parameter_completeness")

    return parameter_completeness
