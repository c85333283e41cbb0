"""The delivery status of each conversion of an hour at a destination: delivered, pending, in doubt …

The dispatch engine, `status` and the accounting share this one query.
"""

from datetime import UTC, datetime, timedelta
from importlib import resources

import duckdb

from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS
from snap_pipeline.delivery.copies import Copies, hours_with_copies
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.plaintext import show_payloads
from snap_pipeline.lake.storage import Table, partition


def delivery_sql(name: str) -> str:
    """Return the text of `delivery/sql/<name>.sql`."""
    return resources.files("snap_pipeline.delivery").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def is_in_scope(destination: Destination, hour: datetime) -> bool:
    """Tell whether a destination receives an hour: hours before its `since` are out of its scope."""
    return format_hour(hour) >= destination.since


class PayloadStates:
    """The table `payload_states` of one destination and hour.

    Args:
        lake: holds payloads and receipts.
        now: the data's clock.
    """

    def __init__(self, lake: Lake, now: datetime) -> None:
        self._lake, self._now = lake, now

    def prepare(
        self,
        connection: duckdb.DuckDBPyConnection,
        ledger: Ledger,
        destination: Destination,
        hour: datetime,
        payloads: str | None = None,
    ) -> Copies | None:
        """Create `conversion_payloads` and `payload_states`.

        Args:
            connection: has the mapping tables loaded (`lake/mappings.py`).
            ledger: of the destination and hour.
            destination: the receiver.
            hour: the hour of the payloads.
            payloads: the key of a snapshot of the hour's partition, if there is one.

        Returns:
            the copies of the hour's events, for `refresh`; None if the hour has no payloads yet.
        """
        key = payloads or partition(Table.CONVERSION_PAYLOADS, hour)
        if not self._lake.storage.exists(key):
            return None
        show_payloads(self._lake, connection, key)
        # Snap's own limit and not the destination's, which may have been higher when a copy was sent.
        hours = hours_with_copies(hour, timedelta(days=OFFLINE_AGE_DAYS), self._now)
        copies = Copies(self._lake, connection, destination, hour, hours)
        copies.define()
        self._define_states(connection, ledger, destination, hour)
        return copies

    def refresh(
        self,
        connection: duckdb.DuckDBPyConnection,
        ledger: Ledger,
        destination: Destination,
        hour: datetime,
        copies: Copies,
    ) -> None:
        """Create `payload_states` again after sending; `copies` is what `prepare` returned."""
        copies.refresh()
        self._define_states(connection, ledger, destination, hour)

    def _define_states(
        self, connection: duckdb.DuckDBPyConnection, ledger: Ledger, destination: Destination, hour: datetime
    ) -> None:
        ledger.define_views(connection)
        dialect = destination.dialect
        connection.execute(
            f"create or replace table payload_states as {delivery_sql('payload_states')}",
            {
                "workspace": destination.workspace,
                "hour": format_hour(hour),
                "now": self._now.astimezone(UTC).replace(tzinfo=None),
                "hashes_devices": dialect.hashes_devices,
                "needs_store_app_id": dialect.needs_store_app_id,
                "has_app_id": destination.snap_app_id is not None,
                "ios_app_id": destination.ios_app_id,
                "android_app_id": destination.android_app_id,
                "web_age_days": destination.web_age_days if dialect.has_web_age_limit else destination.offline_age_days,
                "offline_age_days": destination.offline_age_days,
            },
        )
