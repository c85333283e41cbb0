"""Asset checks, which Dagster's UI shows beside the assets and alerts report.

Severity ERROR is for defects, WARN for what somebody should look at. `hour_checks.py` runs with each hour and reads
that hour alone; `lake_checks.py` and `trend_checks.py` run with the insights and read many hours. A check runs whenever
its asset does, so checks of all hours are on assets of the insights.
"""

import warnings

import dagster as dg

from snap_pipeline.orchestration.checks import hour_checks, lake_checks, trend_checks
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetChecksDefinition]:
    """Build all checks."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview in Dagster 1.13; every process that loads the code would print a warning.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        hourly = [hour_checks.no_plaintext(pipeline, partitions), hour_checks.delivery(pipeline, partitions)]
    return [
        *hourly,
        lake_checks.current_hours(pipeline),
        lake_checks.click_id_coverage(pipeline),
        trend_checks.volume(pipeline),
        trend_checks.completeness_drop(pipeline),
    ]
