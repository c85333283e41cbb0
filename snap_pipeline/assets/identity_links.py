"""`identity_links`: what the hour taught us of each anonymous id: whose it is, and their hashed identifiers.

`filtered_events` reads the links of the whole trailing window, for consent and enrichment. It declares this hour's
alone: a window mapping would let a backfill of two hours take in, and so send, hundreds of hours after them. Where
links of an earlier hour are missing, the step that reads them makes them first.
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
    """The asset over `raw_events`."""

    @dg.multi_asset(
        name="identity_links",
        specs=[
            table_spec(
                "identity_links",
                "What the hour taught us of each anonymous id: whose it is, hashed identifiers, click ids, consent.",
                group="events",
                partitions=partitions,
                deps=["raw_events"],
                code_version=pipeline.transformations.version("identity_links"),
            )
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def identity_links(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        for key, hour in hours_of(context):
            links = pipeline.transformations.make_identity_links(hour)
            describe_partition(context, pipeline.lake, "identity_links", key, links)
        yield from table_results(context, pipeline.lake, "identity_links")

    return identity_links
