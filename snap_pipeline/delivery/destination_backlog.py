"""The backlog of a destination, and its recent latency, from the lake; `destinations/health.py` rates them."""

from collections.abc import Iterator
from datetime import datetime

from snap_pipeline.delivery.event_status import is_in_scope
from snap_pipeline.delivery.hour_status import HourStatusCache
from snap_pipeline.delivery.ledger import parquet_keys, rows_of
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import DestinationBacklog
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Storage, Table
from snap_pipeline.lake.summaries import Summaries
from snap_pipeline.reasons import DeliveryState

LATEST_HOURS = 24
"""The number of hours, the newest with requests, over which latency is averaged."""


def destination_backlog_of(
    lake: Lake, summaries: Summaries, destination: Destination, running_hour: datetime
) -> DestinationBacklog:
    """Count the undelivered events of a destination's closed hours; the running hour is never complete.

    Only the cached status of each hour is read, not its events. If no run has dispatched an hour since its payloads
    were made, all of its events count as pending.

    Args:
        lake: holds payloads, cached statuses and requests.
        summaries: of its hours.
        destination: the receiver.
        running_hour: the hour that is not over yet.
    """
    statuses = HourStatusCache(lake)
    hours = [
        hour
        for hour in lake.storage.hours(Table.CONVERSION_PAYLOADS)
        if is_in_scope(destination, hour) and hour < running_hour
    ]
    undelivered: dict[datetime, tuple[int, int]] = {}
    for hour, summary in summaries.of(hours).items():
        conversions = summary.conversions.get(destination.workspace)
        if conversions:
            status = statuses.cached(destination, hour)
            undelivered[hour] = (
                (status.count(DeliveryState.PENDING), status.count(DeliveryState.IN_DOUBT))
                if status
                else (conversions, 0)
            )
    return DestinationBacklog(
        pending=sum(pending for pending, _ in undelivered.values()),
        in_doubt=sum(in_doubt for _, in_doubt in undelivered.values()),
        oldest=min((format_hour(hour) for hour, events in undelivered.items() if any(events)), default=None),
        latency_ms=_latency(lake, destination),
    )


def _latency(lake: Lake, destination: Destination) -> float | None:
    requests = rows_of(lake.storage, Table.DELIVERY_REQUESTS, _latest_requests(lake.storage, destination))
    with lake.connect() as connection:
        row = connection.execute(f"select avg(latency_ms) from ({requests})").fetchone()
    return row[0] if row else None


def _latest_requests(storage: Storage, destination: Destination) -> Iterator[str]:
    """Yield the keys of the newest requests, from listings alone."""
    table, found = Table.DELIVERY_REQUESTS, 0
    for folder in sorted((name for name in storage.names(table) if name.startswith("hour=")), reverse=True):
        keys = parquet_keys(storage, f"{table}/{folder}/destination={destination.id}")
        yield from keys
        found += bool(keys)
        if found == LATEST_HOURS:
            return
