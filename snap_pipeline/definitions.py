"""The Dagster definitions: the only module that wires assets, checks, jobs, schedules, sensors and resources."""

import dagster as dg

from snap_pipeline.orchestration import checks
from snap_pipeline.orchestration.alerts.sensor import alert_sensor
from snap_pipeline.orchestration.assets import (
    dbt_marts,
    derived_tables,
    dispatched_batches,
    filtered_events,
    raw_events,
    snap_score_answers,
)
from snap_pipeline.orchestration.connection_test import connection_job
from snap_pipeline.orchestration.jobs import hourly_job, hourly_schedule, insights_job, insights_schedule
from snap_pipeline.orchestration.maintenance import prune_job, prune_schedule
from snap_pipeline.orchestration.partitions import hourly_partitions
from snap_pipeline.orchestration.reconcile_sensor import reconcile_sensor
from snap_pipeline.orchestration.resources import PipelineResource, SnapConversionsApi
from snap_pipeline.orchestration.source_code import with_source_code
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Build the code location of one home.

    Args:
        settings: of the home; tests pass their own.

    Raises:
        SettingsError: a setting or a file of the home cannot be used.
        DbtProjectError: dbt cannot parse its project.
    """
    pipeline = Pipeline(settings)
    pipeline.delete_abandoned_drafts()
    partitions = hourly_partitions(settings.first_hour)
    hourly, marts, pruning = hourly_job(), insights_job(), prune_job(pipeline)
    return dg.Definitions(
        assets=with_source_code(
            [
                raw_events.build(pipeline, partitions),
                filtered_events.build(pipeline, partitions),
                *derived_tables.build(pipeline, partitions),
                dispatched_batches.build(partitions),
                snap_score_answers.build(settings),
                *dbt_marts.build(pipeline),
            ]
        ),
        asset_checks=checks.build(pipeline, partitions),
        jobs=[hourly, marts, connection_job(pipeline), pruning],
        schedules=[hourly_schedule(hourly), insights_schedule(marts), prune_schedule(pruning)],
        sensors=[reconcile_sensor(pipeline, hourly), alert_sensor(settings)],
        resources={
            "pipeline": PipelineResource(pipeline),
            "snap": SnapConversionsApi(),
            **dbt_marts.resources(),
        },
        # A process of its own would spend most of a step on imports; runs are parallel, steps are not.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Build the code location of this environment's home."""
    return build_definitions(load_settings())
