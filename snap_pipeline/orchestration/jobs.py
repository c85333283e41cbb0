"""The hourly job and the job of the marts, with their schedules.

All schedules are off until they are switched on in the UI or with `dg`; the README says which to switch on.
"""

import dagster as dg

from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour
from snap_pipeline.orchestration.dagster_internals import UnresolvedAssetJobDefinition
from snap_pipeline.orchestration.runs import hours_in_flight, reason_tags

HOURLY_JOB = "hourly"
INSIGHTS_JOB = "insights"
CLOSED_HOUR_TAG = "snap_pipeline/closed_hour"
LAST_INSIGHTS_MINUTE = 55
"""The minute of the last tick in an hour, which refreshes the marts even if the hour's run is not over."""


def hourly_job() -> UnresolvedAssetJobDefinition:
    """Build the job from landing files to receipts, for one hour or a range of hours."""
    return dg.define_asset_job(
        HOURLY_JOB,
        selection=dg.AssetSelection.groups("events", "conversions", "delivery"),
        executor_def=dg.in_process_executor,
        description="One hour, from landing files to receipts.",
    )


def insights_job() -> UnresolvedAssetJobDefinition:
    """Build the job of the dbt marts over all hours, apart from the hourly job, since dbt takes seconds to start."""
    return dg.define_asset_job(
        INSIGHTS_JOB,
        selection=dg.AssetSelection.groups("mappings", "staging", "insights", "report"),
        executor_def=dg.in_process_executor,
        description="Match quality, destination health and accounting, over all hours.",
    )


def hourly_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Build the schedule that requests the closed hour, five minutes past each hour."""

    @dg.schedule(
        name="hourly_schedule",
        job=job,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        description="Makes and delivers the hour that closed, five minutes past each hour.",
    )
    def closed_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Materialize the hour that closed."""
        closed = floor_hour(context.scheduled_execution_time) - ONE_HOUR
        key = format_hour(closed)
        return dg.RunRequest(run_key=key, partition_key=key, tags=reason_tags(closed, closed, "hour closed"))

    return closed_hour


def insights_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Build the schedule of the marts: once an hour, from a quarter past on, after the run of the closed hour."""

    @dg.schedule(
        name="insights_schedule",
        job=job,
        cron_schedule="15-55/10 * * * *",
        execution_timezone="UTC",
        description="Rebuilds the marts once an hour, after the run of the hour that closed.",
    )
    def after_the_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Refresh the marts after the run of the closed hour; the last tick of an hour does not wait for it."""
        now = context.scheduled_execution_time
        closed = floor_hour(now) - ONE_HOUR
        tags = {CLOSED_HOUR_TAG: format_hour(closed)}
        if context.instance.get_runs_count(dg.RunsFilter(job_name=INSIGHTS_JOB, tags=tags)):
            return dg.SkipReason("The marts have been refreshed this hour.")
        if now.minute < LAST_INSIGHTS_MINUTE and closed in hours_in_flight(context.instance):
            return dg.SkipReason(f"The run of {format_hour(closed)} is still in progress.")
        return dg.RunRequest(tags=tags)

    return after_the_hour
