"""What the lake knows of how a destination does: what it has not got yet, and how fast it answered lately."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from snap_pipeline.delivery.accounting import Accounting
from snap_pipeline.delivery.ledger import files_of
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import Vitals
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.lake.lake import Lake

LATEST_HOURS = 24
"""Of those with requests, whose latency counts."""


def vitals_of(lake: Lake, accounting: Accounting, destination: Destination, running_hour: datetime) -> Vitals:
    """Counts closed hours alone: the running one is never complete.

    Args:
        lake: holds the requests.
        accounting: of the same lake.
        destination: whose.
        running_hour: the hour that is not over yet.
    """
    hours = accounting.hours(parse_hour(destination.since), running_hour - ONE_HOUR)
    left = [
        entry
        for entry in accounting.entries(hours, [destination])
        if entry.destination_id == destination.id and entry.entry in ("pending", "in_doubt")
    ]
    return Vitals(
        pending=sum(entry.events for entry in left if entry.entry == "pending"),
        in_doubt=sum(entry.events for entry in left if entry.entry == "in_doubt"),
        oldest=min((entry.hour for entry in left), default=None),
        latency_ms=_latency(lake, destination),
    )


def _latency(lake: Lake, destination: Destination) -> float | None:
    with lake.connect() as connection:
        query = f"select avg(latency_ms) from ({files_of('delivery_requests', _latest_requests(lake, destination))})"
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def _latest_requests(lake: Lake, destination: Destination) -> Iterator[Path]:
    """The newest files, found without reading any."""
    found = 0
    for folder in sorted((lake.root / "delivery_requests").glob("hour=*"), reverse=True):
        file = folder / f"destination={destination.id}" / "data.parquet"
        if file.exists():
            yield file
            found += 1
        if found == LATEST_HOURS:
            return
