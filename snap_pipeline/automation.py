"""What runs by itself: the jobs, the hourly schedule, and the reconcile sensor that is the net under it.

All are off until they are switched on in the UI or with `dg`; the README says which.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    PRIORITY_TAG,
)

from snap_pipeline.assets.dispatched_batches import TABLES
from snap_pipeline.assets.hourly import HOURS_A_RUN
from snap_pipeline.checks import OUTSIDE_THE_HOUR, WITH_THE_INSIGHTS
from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour, hours_between, parse_hour
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.reconcile import Need, by_urgency, contiguous, needs
from snap_pipeline.run_monitoring import LONGEST_RUN

HOURLY_JOB = "hourly"
INSIGHTS_JOB = "insights"
CLOSED_HOUR_TAG = "snap_pipeline/closed_hour"
LAST_INSIGHTS_MINUTE = 55
"""At which the marts are refreshed without the hour that is still under way."""
IN_FLIGHT = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
DELIVERY = [dg.AssetKey(table) for table in TABLES]
RUNS_A_TICK = 20
"""A backlog of years is asked for bit by bit, so that a tick stays short."""
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=60)


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
        selection=dg.AssetSelection.groups("mappings", "staging", "insights")
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


def reconcile_sensor(pipeline: Pipeline, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Asks for the hours whose files changed since they were read, and for those that owe a destination something.

    Where `SNAP_PIPELINE_RUNNING_HOUR_MINUTES` is set, the hour that is still filling is asked for that often while
    files land in it; of what it makes, only events without a receipt go out.
    """

    @dg.sensor(name="reconcile", job=job, minimum_interval_seconds=60)
    def reconcile(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Asks for runs of hours with files that were not read, or conversions that were not delivered."""
        settings = pipeline.settings
        now, pause, running = real_now(), settings.running_hour_minutes, settings.running_hour
        asked = Asked(context.cursor)
        needed = needs(pipeline, now, running_hour=pause is not None)
        asked.forget_all_but({*needed, running})
        busy = hours_in_flight(context.instance)
        wanted = {
            hour: need for hour, need in needed.items() if hour not in busy and asked.may_ask(hour, need.digest, now)
        }
        filling = wanted.pop(running, None)
        requests = []
        for place, (first, last) in enumerate(ranges_of(wanted, settings.now())[:RUNS_A_TICK]):
            requests.append(run_request(first, last, unread=wanted[first].unread, backlog=place > 0))
            for hour in hours_between(first, last):
                asked.note(hour, wanted[hour].digest, now)
        if filling and pause is not None and asked.is_rested(running, timedelta(minutes=pause), now):
            requests.append(run_request(running, running, unread=filling.unread, backlog=False))
            asked.note(running, filling.digest, now)
        context.update_cursor(asked.cursor)
        if not requests:
            return dg.SkipReason("Every hour's files are read and its conversions delivered, or that is under way.")
        return dg.SensorResult(run_requests=requests)

    return reconcile


def real_now() -> datetime:
    """The clock of back-offs, which goes on where the data's clock is fixed."""
    return datetime.now(UTC)


def ranges_of(wanted: Mapping[datetime, Need], now: datetime) -> list[tuple[datetime, datetime]]:
    """Which hours to run together, and in which order: the newest, for which people wait, then as they expire."""
    if not wanted:
        return []
    newest = max(wanted)

    def others(*, unread: bool) -> Iterable[datetime]:
        return (hour for hour, need in wanted.items() if hour != newest and need.unread is unread)

    ranges = [each for unread in (True, False) for each in contiguous(others(unread=unread), HOURS_A_RUN)]
    return [(newest, newest), *by_urgency(ranges, now)]


class Asked:
    """What the sensor asked for and when, kept in its cursor: after a failure it asks again, ever more rarely."""

    def __init__(self, cursor: str | None) -> None:
        self._hours: dict[str, dict[str, str | int]] = json.loads(cursor) if cursor else {}

    @property
    def cursor(self) -> str:
        """The text to keep."""
        return json.dumps(self._hours)

    def may_ask(self, hour: datetime, digest: str, now: datetime) -> bool:
        """At once for files not asked for before; otherwise after 5, 10, 20 … 60 minutes."""
        before = self._hours.get(format_hour(hour))
        if before is None or before["digest"] != digest:
            return True
        wait = min(FIRST_WAIT * 2 ** (int(before["times"]) - 1), LONGEST_WAIT)
        return bool(now - datetime.fromisoformat(str(before["at"])) >= wait)

    def is_rested(self, hour: datetime, pause: timedelta, now: datetime) -> bool:
        """Whether it was last asked for so long ago, or never."""
        before = self._hours.get(format_hour(hour))
        return before is None or bool(now - datetime.fromisoformat(str(before["at"])) >= pause)

    def note(self, hour: datetime, digest: str, now: datetime) -> None:
        """Remembers that an hour was asked for."""
        before = self._hours.get(format_hour(hour), {})
        times = int(before.get("times", 0)) + 1 if before.get("digest") == digest else 1
        self._hours[format_hour(hour)] = {"digest": digest, "at": now.isoformat(), "times": times}

    def forget_all_but(self, hours: Iterable[datetime]) -> None:
        """Drops hours that need nothing any more."""
        keep = {format_hour(hour) for hour in hours}
        self._hours = {key: value for key, value in self._hours.items() if key in keep}


def run_request(first: datetime, last: datetime, *, unread: bool, backlog: bool) -> dg.RunRequest:
    """One run for an hour or a range of hours: of all its assets, or where its files are read, of delivery alone.

    What people start themselves, and the newest hour, goes ahead of a backlog.
    """
    return dg.RunRequest(
        partition_key=format_hour(first) if first == last else None,
        tags=(range_tags(first, last) if first != last else {}) | ({PRIORITY_TAG: "-1"} if backlog else {}),
        asset_selection=None if unread else DELIVERY,
    )


def range_tags(first: datetime, last: datetime) -> dict[str, str]:
    """The tags that make a run take every hour from the first to the last."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: format_hour(first),
        ASSET_PARTITION_RANGE_END_TAG: format_hour(last),
    }


def hours_in_flight(instance: dg.DagsterInstance) -> set[datetime]:
    """Hours that queued or started runs, or backfills not yet submitted, will make.

    Run monitoring fails runs that are dead. Where an instance does without it, they do not hold their hours for ever.
    """
    busy: set[datetime] = set()
    oldest = (real_now() - LONGEST_RUN).timestamp()
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(IN_FLIGHT))):
        if record.start_time is None or record.start_time > oldest:
            busy.update(hours_of_tags(record.dagster_run.tags))
    for backfill in instance.get_backfills(status=BulkActionStatus.REQUESTED):
        busy.update(parse_hour(key) for key in _keys_of_backfill(backfill))
    return busy


def _keys_of_backfill(backfill: PartitionBackfill) -> Iterable[str]:
    if backfill.asset_backfill_data is None:
        return backfill.partition_names or ()
    targets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    return {key for subset in targets.values() for key in subset.get_partition_keys()}


def hours_of_tags(tags: Mapping[str, str]) -> Iterator[datetime]:
    """The hours that a run of these tags makes; none where it has no partitions."""
    if ASSET_PARTITION_RANGE_START_TAG in tags:
        first, last = tags[ASSET_PARTITION_RANGE_START_TAG], tags[ASSET_PARTITION_RANGE_END_TAG]
        yield from hours_between(parse_hour(first), parse_hour(last))
    elif PARTITION_NAME_TAG in tags:
        yield parse_hour(tags[PARTITION_NAME_TAG])
