"""Fixtures of delivery tests: hours of any number of payloads, and the dispatch engine without Dagster."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from snap_pipeline.capi.answers import CATALOGUE, Category
from snap_pipeline.delivery.dispatch import DispatchOptions, HourReport
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, literal, partition
from snap_pipeline_tests.project import HOUR, START, Project, purchase


class Delivery:
    """The parts that a delivery test drives: payloads of an hour, a destination, and the dispatch engine."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.lake = project.pipeline.lake
        self._make_template()

    def make_payloads(
        self,
        count: int,
        hour: datetime = HOUR,
        prefix: str = "e",
        *,
        backwards: bool = False,
        offline: bool = False,
        at: datetime | None = None,
        name: str = "PURCHASE",
    ) -> list[str]:
        """Write an hour's payloads, a millisecond apart, and return their ids, which are numbered from 0.

        Args:
            count: of events.
            hour: the hour of the partition.
            prefix: of the ids.
            backwards: whether the rows are in reverse order of time.
            offline: whether they are offline conversions, which Snap takes for 37 days.
            at: the time of the first event, if it is not the hour's beginning.
            name: of the events.
        """
        with self.lake.connect() as connection:
            self.lake.storage.commit(
                connection,
                partition(Table.CONVERSION_PAYLOADS, hour),
                f"""
                select * replace (
                    {literal(prefix)} || i as event_id,
                    'o-' || {literal(prefix)} || i as order_id,
                    {literal(name)} as event_name,
                    {literal((at or hour).replace(tzinfo=None))}::timestamp + i * interval 1 millisecond as event_time,
                    {"'OFFLINE'" if offline else "conversion_type"} as conversion_type
                )
                from read_parquet({literal(self._template)}, hive_partitioning = false), range({count}) as numbers (i)
                order by i {"desc" if backwards else ""}
                """,
                metadata=self._notes,
            )
        return [f"{prefix}{i}" for i in range(count)]

    def dispatch(self, destination: Destination, hour: datetime = HOUR, **options: bool) -> HourReport:
        """Dispatch one hour, under its lease."""
        return self.project.pipeline.dispatcher().dispatch(destination, hour, DispatchOptions(**options))

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """Return the rows of a delivery table over all hours and destinations."""
        files = sorted((self.lake.storage.path("") / table).glob("**/*.parquet"))
        if not files:
            return []
        names = ", ".join(literal(file) for file in files)
        with self.lake.connect() as connection:
            return connection.execute(f"select {columns} from read_parquet([{names}])").fetchall()

    def outcomes(self) -> dict[str, int]:
        """Count the receipts by outcome."""
        counts: dict[str, int] = {}
        for (outcome,) in self.rows("delivery_receipts", "outcome"):
            counts[outcome] = counts.get(outcome, 0) + 1
        return counts

    @property
    def event_requests(self) -> int:
        """The number of requests to the events endpoint so far."""
        return len(self.project.requests_seen("/events"))

    def _make_template(self) -> None:
        pipeline, scratch = self.project.pipeline, parse_hour(START) + ONE_HOUR
        event = purchase(
            "template", at=scratch, ip_address="198.51.100.7", user_agent="Mozilla/5.0", phone="+49 151 23456789"
        )
        landed = self.project.land(event, hour=scratch)
        make_raw_events(self.lake, pipeline.landing, scratch)
        pipeline.transformations.make_filtered_events(scratch)
        pipeline.transformations.make_conversion_payloads(scratch)
        template = partition(Table.CONVERSION_PAYLOADS, scratch)
        with self.lake.connect() as connection:
            self._notes = self.lake.storage.notes(connection, template)
        self._template = self.lake.storage.path(template).rename(self.lake.storage.path("template.parquet"))
        landed.unlink()


def set_patience(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Shorten the patience with a server that throttles."""
    rule = CATALOGUE[Category.THROTTLED]
    retry = replace(rule.retry, patience_seconds=seconds)
    monkeypatch.setitem(CATALOGUE, Category.THROTTLED, replace(rule, retry=retry))


@pytest.fixture
def delivery(project: Project) -> Delivery:
    """Return the dispatch engine over a home of its own."""
    return Delivery(project)


@pytest.fixture
def shop(project: Project) -> Destination:
    """Add a live destination that receives every hour."""
    return project.add_destination()
