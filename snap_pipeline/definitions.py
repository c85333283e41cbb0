"""Every asset, job, schedule, sensor and resource is wired here, and nowhere else."""

import dagster as dg

from snap_pipeline import checks
from snap_pipeline.alerts import alert_sensor
from snap_pipeline.assets import (
    conversion_payloads,
    dispatched_batches,
    filtered_events,
    identity_links,
    insights,
    parameter_completeness,
    raw_events,
)
from snap_pipeline.automation import (
    hourly_job,
    hourly_schedule,
    insights_job,
    insights_schedule,
    reconcile_sensor,
)
from snap_pipeline.connections import connection_job
from snap_pipeline.partitions import hourly_partitions
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.resources import SnapConversionsApi
from snap_pipeline.retention import prune_job, prune_schedule
from snap_pipeline.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The code location over one home.

    Args:
        settings: of the home; tests pass their own.
    """
    pipeline = Pipeline(settings)
    pipeline.delete_abandoned_drafts()
    partitions = hourly_partitions(settings.first_hour)
    hourly, marts, pruning = hourly_job(), insights_job(), prune_job(pipeline)
    return dg.Definitions(
        assets=[
            raw_events.build(pipeline, partitions),
            identity_links.build(pipeline, partitions),
            filtered_events.build(pipeline, partitions),
            conversion_payloads.build(pipeline, partitions),
            dispatched_batches.build(partitions),
            parameter_completeness.build(pipeline, partitions),
            *insights.build(pipeline),
        ],
        asset_checks=checks.build(pipeline, partitions),
        jobs=[hourly, marts, connection_job(pipeline), pruning],
        schedules=[hourly_schedule(hourly), insights_schedule(marts), prune_schedule(pruning)],
        sensors=[reconcile_sensor(pipeline, hourly), alert_sensor(settings)],
        resources={
            "pipeline": pipeline,
            "snap": SnapConversionsApi(web_age_days=7, offline_age_days=37),
            **insights.resources(),
        },
        # Importing is most of a step's cost on small machines; runs, not steps, are what is parallel.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The code location of this environment's home."""
    return build_definitions(load_settings())
