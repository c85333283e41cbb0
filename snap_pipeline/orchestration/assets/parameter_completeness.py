"""`parameter_completeness`: how many conversions of the hour carry each parameter that Snap matches by.

Tiny, so that the seven-day match quality sums these and never reads events again.
"""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from snap_pipeline.orchestration.assets.hourly_step import table_asset
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset over `conversion_payloads`."""

    def make(pipeline: Pipeline, hour: datetime) -> tuple[int, Mapping[str, int]]:
        return pipeline.transformations.make_parameter_completeness(hour), {}

    return table_asset(
        "parameter_completeness",
        "Counts of each match parameter by workspace, event name and conversion type.",
        make,
        group="conversions",
        partitions=partitions,
        deps=["conversion_payloads"],
        code_version=pipeline.transformations.version("parameter_completeness"),
    )
