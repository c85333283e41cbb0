"""Runs of the hourly job: run requests for hours, and the hours that are in flight."""

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

IN_FLIGHT_STATUSES = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
HOURS_TAG, REASON_TAG = "snap_pipeline/hours", "snap_pipeline/why"
DELIVERY_ASSETS = [dg.AssetKey(table.value) for table in TABLES]


def wall_clock() -> datetime:
    """Return the real time, for back-offs; the data clock may be fixed."""
    return datetime.now(UTC)


def run_request(first: datetime, last: datetime, why: str, *, from_landing: bool, backlog: bool) -> dg.RunRequest:
    """Build the request of a run for an hour or a range of hours.

    Args:
        first: the first hour.
        last: the last hour, included.
        why: the reason, for a tag of the run.
        from_landing: run all assets, from the landing files on; otherwise delivery alone.
        backlog: give the run a lower priority than the newest hour and than runs that people start.
    """
    return dg.RunRequest(
        partition_key=format_hour(first) if first == last else None,
        tags=reason_tags(first, last, why)
        | (range_tags(first, last) if first != last else {})
        | ({PRIORITY_TAG: "-1"} if backlog else {}),
        asset_selection=None if from_landing else DELIVERY_ASSETS,
    )


def reason_tags(first: datetime, last: datetime, why: str) -> dict[str, str]:
    """Return the tags that tell people the hours of a run and why it was started."""
    hours = format_hour(first) if first == last else f"{format_hour(first)} to {format_hour(last)}"
    return {HOURS_TAG: hours, REASON_TAG: why}


def range_tags(first: datetime, last: datetime) -> dict[str, str]:
    """Return the tags of a run over every hour from the first to the last."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: format_hour(first),
        ASSET_PARTITION_RANGE_END_TAG: format_hour(last),
    }


def hours_in_flight(instance: dg.DagsterInstance) -> set[datetime]:
    """Return the hours of queued and started runs, and of backfills that are not submitted yet.

    Runs older than the longest run are ignored, since an instance without run monitoring never fails dead runs.
    """
    in_flight: set[datetime] = set()
    oldest = (wall_clock() - LONGEST_RUN).timestamp()
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(IN_FLIGHT_STATUSES))):
        if record.start_time is None or record.start_time > oldest:
            in_flight.update(hours_of_tags(record.dagster_run.tags))
    for backfill in instance.get_backfills(status=BulkActionStatus.REQUESTED):
        in_flight.update(parse_hour(key) for key in _keys_of_backfill(backfill))
    return in_flight


def _keys_of_backfill(backfill: PartitionBackfill) -> Iterable[str]:
    if backfill.asset_backfill_data is None:
        return backfill.partition_names or ()
    targets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
    return {key for subset in targets.values() for key in subset.get_partition_keys()}


def hours_of_tags(tags: Mapping[str, str]) -> Iterator[datetime]:
    """Yield the hours of a run with these tags; none if it has no partitions."""
    if ASSET_PARTITION_RANGE_START_TAG in tags:
        first, last = tags[ASSET_PARTITION_RANGE_START_TAG], tags[ASSET_PARTITION_RANGE_END_TAG]
        yield from hours_between(parse_hour(first), parse_hour(last))
    elif PARTITION_NAME_TAG in tags:
        yield parse_hour(tags[PARTITION_NAME_TAG])
