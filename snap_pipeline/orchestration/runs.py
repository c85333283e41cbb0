"""Runs of the hourly job and the hours that they make: what to request, and which hours are in flight."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from snap_pipeline.hours import format_hour, hours_between, parse_hour
from snap_pipeline.orchestration.assets.dispatched_batches import TABLES
from snap_pipeline.orchestration.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    PRIORITY_TAG,
    BulkActionStatus,
    PartitionBackfill,
)
from snap_pipeline.orchestration.run_monitoring import LONGEST_RUN

IN_FLIGHT = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
DELIVERY = [dg.AssetKey(table.value) for table in TABLES]


def wall_clock() -> datetime:
    """The clock of back-offs, which goes on where the data's clock is fixed."""
    return datetime.now(UTC)


def run_request(first: datetime, last: datetime, *, from_landing: bool, backlog: bool) -> dg.RunRequest:
    """One run for an hour or a range of hours: of all its assets, from its landing files on, or of delivery alone.

    What people start themselves, and the newest hour, goes ahead of a backlog.
    """
    return dg.RunRequest(
        partition_key=format_hour(first) if first == last else None,
        tags=(range_tags(first, last) if first != last else {}) | ({PRIORITY_TAG: "-1"} if backlog else {}),
        asset_selection=None if from_landing else DELIVERY,
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
    oldest = (wall_clock() - LONGEST_RUN).timestamp()
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
