"""`conversion_payloads`: each conversion enriched, normalized and hashed, ready for either version of the API.

From here on no plaintext e-mail or phone exists. Destinations differ in what they get of a row, not in the row. What
is known of a conversion's person was found where events are filtered, since their consent was too.
"""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from snap_pipeline.orchestration.assets.hourly_step import table_asset
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset over `filtered_events`."""

    def make(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
        made = pipeline.transformations.make_conversion_payloads(hour)
        unusable = {f"unusable/{kind}": events for kind, events in made.dropped.items()}
        linked = {f"linked/{parameter}": events for parameter, events in made.linked.items()}
        return made.rows, unusable | linked

    return table_asset(
        "conversion_payloads",
        "Conversions with hashed identifiers, values and items: neutral to destinations.",
        make,
        group="conversions",
        partitions=partitions,
        deps=["filtered_events"],
        code_version=pipeline.transformations.version("conversion_payloads"),
    )
