"""One event's whole way: from the file it landed in to its receipt, or the reason it has none."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.delivery.states import PayloadStates, owes
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake, literal
from snap_pipeline.lake.mappings import Mappings

FOUND = """
    select hour, workspace, event_id, event_name, source_file, position, event_time
    from (
        select *, file_row_number + 1 as position,
            coalesce(
                order_id, properties ->> 'order_id', properties ->> 'orderId', properties ->> 'transaction_id'
            ) as any_order_id
        from read_parquet(
            {files}, hive_partitioning = true, hive_types = {{'hour': varchar}}, file_row_number = true,
            union_by_name = true
        )
    )
    where event_id in ($id, sha256($id)) or any_order_id = $id
    order by hour, position
"""


class Trace:
    """Follows events through the lake.

    Args:
        lake: to look in.
        mappings: as for delivery.
        states: of the data's clock.
        landing_root: to find the line in the landed file.
    """

    def __init__(self, lake: Lake, mappings: Mappings, states: PayloadStates, landing_root: Path) -> None:
        self._lake, self._mappings, self._states, self._landing_root = lake, mappings, states, landing_root

    def lines(
        self, event_or_order_id: str, hours: Iterable[datetime], destinations: Iterable[Destination]
    ) -> Iterator[str]:
        """What happened to each event that has this id or order id, in words, oldest hour first."""
        by_key = {format_hour(hour): hour for hour in hours}
        raw_events = (self._lake.path("raw_events", hour) for hour in by_key.values())
        paths = [path for path in raw_events if path.exists()]
        files = "[" + ", ".join(literal(path) for path in paths) + "]"
        destinations = list(destinations)
        if not paths:
            return
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            found = connection.execute(FOUND.format(files=files), {"id": event_or_order_id}).fetchall()
            for hour, workspace, event_id, event_name, source_file, position, event_time in found:
                yield f"{event_id} ({event_name}, {event_time or 'no time'}), workspace {workspace}"
                yield f"  landed in {source_file}, {self._line_in(source_file, event_id, position)}, hour {hour}"
                reason = self._excluded(connection, by_key[hour], workspace, event_id)
                if reason:
                    yield f"  excluded: {reason}"
                    continue
                for destination in destinations:
                    if destination.workspace == workspace:
                        yield f"  {destination.name}: {self._delivery(connection, by_key[hour], destination, event_id)}"

    def _line_in(self, source_file: str, event_id: str, position: int) -> str:
        """The line's number where the file is still there and shows the id; else its place among the hour's events."""
        path = self._landing_root / source_file
        if path.exists() and path.suffix != ".gz":
            with path.open("rb") as stream:
                for number, line in enumerate(stream, 1):
                    if f'"{event_id}"'.encode() in line:
                        return f"line {number}"
        return f"event {position} of its hour"

    def _excluded(
        self, connection: duckdb.DuckDBPyConnection, hour: datetime, workspace: str, event_id: str
    ) -> str | None:
        path = self._lake.path("excluded_events", hour)
        if not path.exists():
            return "nothing yet: the hour has not been filtered"
        payload = self._lake.path("conversion_payloads", hour)
        if payload.exists() and self._has(connection, payload, workspace, event_id):
            return None
        row = connection.execute(
            f"select reason from read_parquet({literal(path)}) where workspace = ? and event_id = ?",
            [workspace, event_id],
        ).fetchone()
        return str(row[0]) if row else "nothing yet: the hour has no payloads"

    def _has(self, connection: duckdb.DuckDBPyConnection, path: Path, workspace: str, event_id: str) -> bool:
        query = f"select 1 from read_parquet({literal(path)}) where workspace = ? and event_id = ? limit 1"
        return connection.execute(query, [workspace, event_id]).fetchone() is not None

    def _delivery(
        self, connection: duckdb.DuckDBPyConnection, hour: datetime, destination: Destination, event_id: str
    ) -> str:
        if not owes(destination, hour):
            return f"not owed: it is owed the hours from {destination.since} on"
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        if not self._states.prepare(connection, ledger, destination, hour):
            return "no payload yet"
        state = connection.execute("select state, reason from payload_states where event_id = ?", [event_id]).fetchone()
        receipt = connection.execute(
            "select batch_id, http_status, sent_at from own_receipts where event_id = ? order by sent_at desc limit 1",
            [event_id],
        ).fetchone()
        words = " ".join(filter(None, state or ("no payload",)))
        return words + (
            f", batch {receipt[0]}, HTTP {receipt[1]}, sent {receipt[2]:%Y-%m-%d %H:%M:%S} UTC" if receipt else ""
        )
