"""Asset checks: what Dagster's UI shows beside an asset as holding or not, and what alerts are made of.

ERROR is what must not be, WARN what somebody should look at. `hourly.py` belongs to each hour's run and reads that
hour alone; `overall.py` looks at all hours and runs with the insights; `destinations.py` runs when it is pressed.
"""

import warnings

import dagster as dg

from snap_pipeline.checks import destinations, hourly, overall
from snap_pipeline.pipeline import Pipeline

OUTSIDE_THE_HOUR = [destinations.TAKE_EVENTS, overall.CURRENT_HOURS]
"""Checks of hourly assets that are no part of the hourly job."""

WITH_THE_INSIGHTS = [overall.CURRENT_HOURS]
"""Those that the insights job runs in their place."""


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """Every check."""
    with warnings.catch_warnings():
        # Partitions of checks are new in Dagster 1.13; each process that loads the code would say so.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        of_the_hour = [hourly.no_plaintext(pipeline, partitions), hourly.delivery(pipeline, partitions)]
    return [
        *of_the_hour,
        overall.current_hours(pipeline),
        overall.click_id_coverage(pipeline),
        destinations.take_events(pipeline),
    ]
