"""The backlog of a destination, and its recent latency, from the lake; `destinations/health.py` rates them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from snap_pipeline.delivery.accounting import Accounting
from snap_pipeline.delivery.ledger import parquet_keys, rows_of
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import DestinationBacklog
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Storage, Table
from snap_pipeline.reasons import DeliveryState

LATEST_HOURS = 24
"""The number of hours, the newest with requests, over which latency is averaged."""


def destination_backlog_of(
    lake: Lake, accounting: Accounting, destination: Destination, hours: Sequence[datetime], running_hour: datetime
) -> DestinationBacklog:
    """Count a destination's undelivered events, as the accounting counts them.

    Args:
        lake: holds the requests.
        accounting: of the same lake.
        destination: the receiver.
        hours: the hours to count.
        running_hour: the hour that is not over yet. Its events count, but they do not make a destination late.
    """
    undelivered = [
        entry
        for entry in accounting.delivery_entries(hours, [destination])
        if entry.entry in (DeliveryState.PENDING, DeliveryState.IN_DOUBT) and entry.events
    ]
    found = {entry.hour for entry in undelivered}
    return DestinationBacklog(
        pending=sum(entry.events for entry in undelivered if entry.entry == DeliveryState.PENDING),
        in_doubt=sum(entry.events for entry in undelivered if entry.entry == DeliveryState.IN_DOUBT),
        hours=len(found),
        oldest=min((hour for hour in found if hour < format_hour(running_hour)), default=None),
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
