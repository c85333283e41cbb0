"""Asset checks: what Dagster's UI shows beside an asset as holding or not, and what alerts are made of.

ERROR is what must not be, WARN what somebody should look at. `hour_checks.py` belongs to each hour's run and reads
that hour alone; `lake_checks.py` looks at all hours and runs with the insights; `connection_check.py` runs when it is
pressed.
"""

import warnings

import dagster as dg

from snap_pipeline.orchestration.checks import connection_check, hour_checks, lake_checks
from snap_pipeline.pipeline import Pipeline

OUTSIDE_THE_HOUR = [connection_check.TAKE_EVENTS, lake_checks.CURRENT_HOURS]
"""Checks of hourly assets that are no part of the hourly job."""

WITH_THE_INSIGHTS = [lake_checks.CURRENT_HOURS]
"""Those that the insights job runs in their place."""


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """Every check."""
    with warnings.catch_warnings():
        # Partitions of checks are new in Dagster 1.13; each process that loads the code would say so.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        of_the_hour = [hour_checks.no_plaintext(pipeline, partitions), hour_checks.delivery(pipeline, partitions)]
    return [
        *of_the_hour,
        lake_checks.current_hours(pipeline),
        lake_checks.click_id_coverage(pipeline),
        connection_check.take_events(pipeline),
    ]
