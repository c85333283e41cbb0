"""Retention in Dagster: the job that deletes old files, and its daily schedule."""

import dagster as dg

from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import quantity

PRUNE_JOB = "prune"


def prune_job(pipeline: Pipeline) -> dg.JobDefinition:
    """Build the job that does the same as `snap-pipeline prune`."""

    @dg.op(name="delete_old_hours")
    def delete_old_hours(context: dg.OpExecutionContext) -> None:
        """Delete landing files, raw and filtered events of old hours."""
        done = pipeline.prune()
        context.log.info(
            f"{quantity(len(done.hours), 'hour')} pruned, with {quantity(done.landing_files, 'landing file')}."
        )
        if done.left:
            context.log.warning(
                f"{quantity(len(done.left), 'older hour')} not pruned, because of unread files or missing tables. "
                "Materialize them first."
            )

    @dg.job(
        name=PRUNE_JOB,
        executor_def=dg.in_process_executor,
        description="Deletes landing files, raw and filtered events older than SNAP_PIPELINE_RETENTION_DAYS.",
    )
    def job() -> None:
        delete_old_hours()

    return job


def prune_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Build the daily schedule, at a quiet time."""
    return dg.ScheduleDefinition(
        name="prune_schedule",
        job=job,
        cron_schedule="40 3 * * *",
        execution_timezone="UTC",
        description="Deletes landing files, raw and filtered events that are older than the retention, once a day.",
    )
