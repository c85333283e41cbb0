"""Where each conversion of an hour stands with a destination: delivered, pending, in doubt …

One query answers for the dispatch engine, for `status` and for the accounting alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import duckdb

from snap_pipeline.delivery.ledger import Ledger, files_of, look_again
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour, hours_between, parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.plaintext import show_payloads

DEDUPLICATION_WINDOW = timedelta(hours=48)
"""Within it, Snap counts an event that is sent again under the same id once (reference, section 5)."""


@dataclass(frozen=True)
class AgeLimits:
    """How old Snap takes events, in days (reference, section 3.8 and contradiction 1)."""

    web_days: int = 7
    offline_days: int = 37


def delivery_sql(name: str) -> str:
    """The text of `delivery/sql/<name>.sql`."""
    return resources.files("snap_pipeline.delivery").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def owes(destination: Destination, hour: datetime) -> bool:
    """Whether an hour's conversions are this destination's at all."""
    return hour >= parse_hour(destination.since)


class PayloadStates:
    """Makes the temp table `payload_states` for one destination and hour.

    Args:
        lake: holds payloads and receipts.
        now: the data's clock.
        limits: of age.
    """

    def __init__(self, lake: Lake, now: datetime, limits: AgeLimits) -> None:
        self._lake, self._now, self._limits = lake, now, limits

    def prepare(
        self,
        connection: duckdb.DuckDBPyConnection,
        ledger: Ledger,
        destination: Destination,
        hour: datetime,
        payloads: Path | None = None,
    ) -> bool:
        """Makes `conversion_payloads` and `payload_states`. False where the hour has no payloads yet.

        The mapping tables must be loaded (`lake/mappings.py`). `payloads` stands for the hour's partition where it is
        kept under another name.
        """
        path = payloads or self._lake.path("conversion_payloads", hour)
        if not path.exists():
            return False
        show_payloads(self._lake, connection, path)
        ledger.define_views(connection)
        look_again(lambda: self._define_others(connection, destination, hour))
        connection.execute(
            f"create or replace table payload_states as {delivery_sql('payload_states')}",
            {
                "workspace": destination.workspace,
                "now": self._now.astimezone(UTC).replace(tzinfo=None),
                "api_version": destination.api_version,
                "has_app_id": destination.snap_app_id is not None,
                "web_age_days": self._limits.web_days,
                "offline_age_days": self._limits.offline_days,
            },
        )
        return True

    def _define_others(self, connection: duckdb.DuckDBPyConnection, destination: Destination, hour: datetime) -> None:
        """Makes `other_receipts` and `other_intents`: what was answered in other hours, and what was sent."""
        others = list(self._other_hours(connection, destination, hour))
        for name, table, columns in (
            ("other_receipts", "delivery_receipts", "event_id"),
            ("other_intents", "delivery_intents", "event_id, first_sent_at"),
        ):
            files = [
                path
                for other in others
                for path in (self._lake.root / table / f"hour={format_hour(other)}").glob(
                    f"destination={destination.id}/*.parquet"
                )
            ]
            connection.execute(f"create or replace table {name} as select {columns} from ({files_of(table, files)})")

    def _other_hours(
        self, connection: duckdb.DuckDBPyConnection, destination: Destination, hour: datetime
    ) -> Iterator[datetime]:
        """The hours in which a copy of one of this hour's events may have been delivered.

        A copy cannot land before its event happened, so an ordinary hour reads few files, and a late replay as many as
        it is late. What is too old for Snap is not sent, so it needs no look further back.
        """
        oldest = self._now - timedelta(days=max(self._limits.offline_days, self._limits.web_days))
        row = connection.execute(
            "select min(event_time) from conversion_payloads where workspace = ? and event_time >= ?",
            [destination.workspace, oldest.replace(tzinfo=None)],
        ).fetchone()
        first = floor_hour(row[0].replace(tzinfo=UTC)) - ONE_HOUR if row and row[0] else hour
        return (each for each in hours_between(min(first, hour), hour + DEDUPLICATION_WINDOW) if each != hour)
