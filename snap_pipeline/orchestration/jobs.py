"""The hourly job and the job of the marts, with their schedules.

All schedules are off until they are switched on in the UI or with `dg`; the README says which.
"""

import dagster as dg

from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour
from snap_pipeline.orchestration.checks import OUTSIDE_THE_HOUR, WITH_THE_INSIGHTS
from snap_pipeline.orchestration.dagster_internals import UnresolvedAssetJobDefinition
from snap_pipeline.orchestration.runs import hours_in_flight

HOURLY_JOB = "hourly"
INSIGHTS_JOB = "insights"
CLOSED_HOUR_TAG = "snap_pipeline/closed_hour"
LAST_INSIGHTS_MINUTE = 55
"""At which the marts are refreshed without the hour that is still under way."""


def hourly_job() -> UnresolvedAssetJobDefinition:
    """Everything from landing files to receipts, for one hour or a range; steps run in the run's own process."""
    return dg.define_asset_job(
        HOURLY_JOB,
        selection=dg.AssetSelection.groups("events", "conversions", "delivery")
        - dg.AssetSelection.checks(*OUTSIDE_THE_HOUR),
        executor_def=dg.in_process_executor,
        description="One hour, from landing files to receipts.",
    )


def insights_job() -> UnresolvedAssetJobDefinition:
    """The dbt marts over all hours; they cost seconds before they do anything, so they are not part of the hour."""
    return dg.define_asset_job(
        INSIGHTS_JOB,
        selection=dg.AssetSelection.groups("mappings", "staging", "insights", "report")
        | dg.AssetSelection.checks(*WITH_THE_INSIGHTS),
        executor_def=dg.in_process_executor,
        description="Match quality, destination health and accounting, from what the hours left.",
    )


def hourly_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Five minutes past the hour, asks for the hour that closed."""

    @dg.schedule(name="hourly_schedule", job=job, cron_schedule="5 * * * *", execution_timezone="UTC")
    def closed_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Materializes the hour that closed."""
        key = format_hour(floor_hour(context.scheduled_execution_time) - ONE_HOUR)
        return dg.RunRequest(run_key=key, partition_key=key)

    return closed_hour


def insights_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Once an hour from a quarter past on, as soon as the run of the hour that closed is over."""

    @dg.schedule(name="insights_schedule", job=job, cron_schedule="15-55/10 * * * *", execution_timezone="UTC")
    def after_the_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Refreshes the marts after the hour's run; the last tick of the hour waits for it no longer."""
        now = context.scheduled_execution_time
        closed = floor_hour(now) - ONE_HOUR
        tags = {CLOSED_HOUR_TAG: format_hour(closed)}
        if context.instance.get_runs_count(dg.RunsFilter(job_name=INSIGHTS_JOB, tags=tags)):
            return dg.SkipReason("The marts have been refreshed this hour.")
        if now.minute < LAST_INSIGHTS_MINUTE and closed in hours_in_flight(context.instance):
            return dg.SkipReason(f"The run of {format_hour(closed)} is still under way.")
        return dg.RunRequest(tags=tags)

    return after_the_hour
