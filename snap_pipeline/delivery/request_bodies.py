"""The JSON of single events as a destination gets it, to look at. It is made as for sending, and nothing is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from snap_pipeline.delivery.event_status import PayloadStates
from snap_pipeline.delivery.held_events import Held, held_events
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.reasons import with_words

DUE = """
    create or replace table due as
    select file_row_number, row_number() over (order by event_time, event_id, event_name) as position
    from payload_states
    where {condition}
    qualify position <= $limit
"""
PENDING = "state = 'pending' and is_deliverable"
OF_EVENT = "event_id in ($id, sha256($id))"


@dataclass(frozen=True)
class Pending:
    """The pending events of an hour, and why they are held back, if they are."""

    bodies: Sequence[str]
    held: Held | None


@dataclass(frozen=True)
class EventBody:
    """One event: its JSON, and its state at the destination."""

    hour: datetime
    event_name: str
    state: str
    body: str


def select_bodies(
    connection: duckdb.DuckDBPyConnection,
    destination: Destination,
    condition: str,
    values: Mapping[str, object],
    limit: int,
) -> list[str]:
    """Return the JSON of events in the order of their times; the view `due` holds them afterwards.

    Args:
        connection: has `payload_states` of the destination (`PayloadStates.prepare`).
        destination: the receiver.
        condition: SQL that chooses rows of `payload_states`.
        values: of the condition's parameters.
        limit: of events.
    """
    connection.execute(DUE.format(condition=condition), {**values, "limit": limit})
    rows = connection.execute(
        f"from ({destination.dialect.projection}) order by position", destination.projection_parameters
    ).fetchall()
    return [str(body) for *_, body in rows]


class RequestBodies:
    """The bodies of events of a lake.

    Args:
        lake: holds the payloads.
        mappings: the mapping tables, as for delivery.
        states: finds the delivery status of events.
    """

    def __init__(self, lake: Lake, mappings: Mappings, states: PayloadStates) -> None:
        self._lake, self._mappings, self._states = lake, mappings, states

    def pending(self, destination: Destination, hour: datetime, limit: int) -> Pending:
        """Return the first pending events of an hour.

        Raises:
            PipelineError: the hour has no payloads.
        """
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            if not self._prepare(connection, destination, hour):
                key = format_hour(hour)
                raise PipelineError(
                    f"{key} has no payloads yet: run `snap-pipeline materialize --from {key} --to {key}` first."
                )
            payloads = partition(Table.CONVERSION_PAYLOADS, hour)
            held = held_events(self._lake, self._mappings, connection, destination, hour, payloads)
            return Pending(select_bodies(connection, destination, PENDING, {}, limit), held)

    def of_event(
        self, destination: Destination, hours: Iterable[datetime], event_id: str, limit: int
    ) -> list[EventBody]:
        """Return the conversions with an id, whatever their state, newest hour first.

        Args:
            destination: the receiver.
            hours: the hours to search.
            event_id: before or after hashing.
            limit: of conversions.
        """
        keys = self._lake.storage.existing(partition(Table.CONVERSION_PAYLOADS, hour) for hour in hours)
        found: list[EventBody] = []
        if not keys:
            return found
        with self._lake.connect() as connection:
            self._mappings.load_standards(connection)
            scan = self._lake.storage.scan(keys, hive=True, by_name=True)
            hours_found = connection.execute(
                f"select distinct hour from {scan} where workspace = $workspace and {OF_EVENT} order by hour desc",
                {"workspace": destination.workspace, "id": event_id},
            ).fetchall()
            for (hour_key,) in hours_found:
                hour = parse_hour(hour_key)
                self._prepare(connection, destination, hour)
                bodies = select_bodies(connection, destination, OF_EVENT, {"id": event_id}, limit)
                states = connection.execute(
                    "select event_name, state, reason from payload_states join due using (file_row_number) "
                    "order by position"
                ).fetchall()
                found += [
                    EventBody(hour, name, f"{state} {with_words(reason)}" if reason else state, body)
                    for (name, state, reason), body in zip(states, bodies, strict=True)
                ]
        return found[:limit]

    def _prepare(self, connection: duckdb.DuckDBPyConnection, destination: Destination, hour: datetime) -> bool:
        ledger = Ledger(self._lake, hour, destination.id, destination.workspace)
        return self._states.prepare(connection, ledger, destination, hour) is not None
