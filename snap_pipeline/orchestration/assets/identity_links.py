"""`identity_links`: what the hour taught us of each anonymous id: whose it is, and their hashed identifiers.

`filtered_events` reads the links of the whole trailing window, for consent and enrichment. It declares this hour's
alone: a window mapping would let a backfill of two hours take in, and so send, hundreds of hours after them. Where
links of an earlier hour are missing, the step that reads them makes them first.
"""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from snap_pipeline.orchestration.assets.hourly_step import table_asset
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset over `raw_events`."""

    def make(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
        return pipeline.transformations.make_identity_links(hour), {}

    return table_asset(
        "identity_links",
        "What the hour taught us of each anonymous id: whose it is, hashed identifiers, click ids, consent.",
        make,
        group="events",
        partitions=partitions,
        deps=["raw_events"],
        code_version=pipeline.transformations.version("identity_links"),
    )
