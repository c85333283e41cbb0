"""What the lake knows of how a destination does: what it has not got yet, and how fast it answered lately."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from snap_pipeline.delivery.ledger import files_of
from snap_pipeline.delivery.standing import Standings
from snap_pipeline.delivery.states import AgeLimits, owes
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import Vitals
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.lake import Lake, literal

LATEST_HOURS = 24
"""Of those with requests, whose latency counts."""


def vitals_of(lake: Lake, destination: Destination, running_hour: datetime, limits: AgeLimits) -> Vitals:
    """Counts closed hours alone: the running one is never complete. Reads what runs left behind, and so is quick.

    Of an hour that no run has looked at since its payloads were made, every event counts as pending.

    Args:
        lake: holds payloads, standings and requests.
        destination: whose.
        running_hour: the hour that is not over yet.
        limits: of age, as its runs have them.
    """
    standings = Standings(lake, limits)
    left: dict[datetime, tuple[int, int]] = {}
    unseen: list[datetime] = []
    for hour in lake.hours("conversion_payloads"):
        if owes(destination, hour) and hour < running_hour:
            standing = standings.remembered(destination, hour)
            if standing is None:
                unseen.append(hour)
            else:
                left[hour] = (standing.count("pending"), standing.count("in_doubt"))
    left |= {hour: (events, 0) for hour, events in _payloads(lake, destination, unseen).items()}
    return Vitals(
        pending=sum(pending for pending, _ in left.values()),
        in_doubt=sum(in_doubt for _, in_doubt in left.values()),
        oldest=min((format_hour(hour) for hour, events in left.items() if any(events)), default=None),
        latency_ms=_latency(lake, destination),
    )


def _payloads(lake: Lake, destination: Destination, hours: Sequence[datetime]) -> Mapping[datetime, int]:
    if not hours:
        return {}
    files = ", ".join(literal(lake.path("conversion_payloads", hour)) for hour in hours)
    query = f"""
        select hour, count(*)
        from read_parquet([{files}], hive_partitioning = true, hive_types = {{'hour': varchar}}, union_by_name = true)
        where workspace = ?
        group by hour
    """
    with lake.connect() as connection:
        return {
            parse_hour(hour): events for hour, events in connection.execute(query, [destination.workspace]).fetchall()
        }


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
