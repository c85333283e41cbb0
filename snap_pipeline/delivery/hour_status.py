"""The delivery status of an hour at a destination, as its last run left it, and the cache of it.

The cache lies beside the receipts, so that the reconcile sensor, `status` and a run that has nothing to do need not
read events again. An entry is valid as long as the files and settings that it was made from are the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from snap_pipeline.capi.limits import DEDUPLICATION_WINDOW
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, is_same_version, ledger_folder, partition
from snap_pipeline.reasons import DeliveryState, NonAdditive

FILE = "_standing.json"
"""The cache entry of a destination's hour. Lakes hold files of this name; under another one, every hour that was
delivered would count as undelivered after an upgrade."""
Counts = Mapping[tuple[str, str | None], int]
"""Numbers of events by state and reason."""
Values = Mapping[tuple[str, str | None], Mapping[str, float]]
"""Sums of the values of purchases by state and reason, then by currency."""
PURCHASE = "PURCHASE"
"""Snap's event whose values are sums of money: those of carts and product views would count a sale again."""


@dataclass(frozen=True)
class HourStatus:
    """The numbers of an hour's events by state.

    Attributes:
        counts: events by state, and by reason if they are rejected or undeliverable. Two entries are no states:
            `withdrawn` counts receipts of events that are payloads no more, and `expiring` the pending events that
            will be too old for Snap within a day.
        resend_until: the end, in real time, of Snap's deduplication window for the last event in doubt. Until then
            events in doubt are sent again without `resend_in_doubt`.
        values: of purchases; empty in statuses that earlier versions cached.
    """

    counts: Counts
    resend_until: datetime | None = None
    values: Values = field(default_factory=dict)

    def count(self, state: DeliveryState) -> int:
        """Return the number of events in a state, whatever the reason."""
        return sum(events for (name, _), events in self.counts.items() if name == state)

    def is_undelivered(self, wall_clock: datetime) -> bool:
        """Tell whether another run could deliver something."""
        is_resent = self.resend_until is not None and wall_clock < self.resend_until
        return is_resent or self.count(DeliveryState.PENDING) > 0


def hour_status_of(connection: duckdb.DuckDBPyConnection, now: datetime) -> HourStatus:
    """Count the events of an hour by state.

    Args:
        connection: holds `payload_states` and `own_receipts`, which `PayloadStates.prepare` made.
        now: the data's clock.
    """
    counts: dict[tuple[str, str | None], int] = {}
    values: dict[tuple[str, str | None], dict[str, float]] = {}
    for state, reason, currency, events, value in connection.execute(
        """
        select
            payload_states.state,
            case when payload_states.state in ('rejected', 'undeliverable') then payload_states.reason end as reason,
            case when conversion_payloads.event_name = $purchase then conversion_payloads.currency end as currency,
            count(*),
            sum(conversion_payloads.value)
        from payload_states
        inner join conversion_payloads using (file_row_number)
        group by all
        order by all
        """,
        {"purchase": PURCHASE},
    ).fetchall():
        counts[state, reason] = counts.get((state, reason), 0) + events
        if currency and value is not None:
            values.setdefault((state, reason), {})[currency] = value
    row = connection.execute(
        """
        select
            (
                select count(distinct (event_id, event_name)) from own_receipts
                anti join payload_states using (event_id, event_name)
            ),
            count(*) filter (state = 'pending' and expires_at <= $now::timestamp + interval 1 day),
            max(first_sent_at) filter (state = 'in_doubt' and is_deliverable)
        from payload_states
        """,
        {"now": now.astimezone(UTC).replace(tzinfo=None)},
    ).fetchone()
    withdrawn, expiring, last_sent = row or (0, 0, None)
    if withdrawn:
        counts[NonAdditive.WITHDRAWN, None] = withdrawn
    if expiring:
        counts[NonAdditive.EXPIRING, None] = expiring
    return HourStatus(counts, last_sent and last_sent.replace(tzinfo=UTC) + DEDUPLICATION_WINDOW, values)


class HourStatusCache:
    """The cached status of hours, one file for each hour and destination.

    Args:
        lake: holds payloads and receipts, and the files of the cache beside them.
    """

    def __init__(self, lake: Lake) -> None:
        self._storage = lake.storage

    def made_from(self, destination: Destination, hour: datetime, payloads: str | None = None) -> list[Any]:
        """Return the versions of the files and settings that a status depends on, as they are now.

        Call this before reading any of them, so that a change by another run meanwhile outdates the cached status.

        Args:
            destination: the receiver.
            hour: the hour.
            payloads: the key of a snapshot of the hour's partition, if there is one.
        """
        return [
            self._storage.fingerprint(payloads or partition(Table.CONVERSION_PAYLOADS, hour)),
            sorted(name for name in self._storage.names(_folder(destination, hour)) if name.endswith(".parquet")),
            destination.api_version,
            destination.snap_app_id is not None,
            destination.web_age_days,
            destination.offline_age_days,
            # Only where they are set, so that statuses of earlier versions stay valid.
            *(["ios"] if destination.ios_app_id else []),
            *(["android"] if destination.android_app_id else []),
        ]

    def remember(self, destination: Destination, hour: datetime, status: HourStatus, made_from: list[Any]) -> None:
        """Cache a status, which is valid as long as `made_from` is the same."""
        content = {
            "made_from": made_from,
            "counts": [[*state, events] for state, events in status.counts.items()],
            "resend_until": status.resend_until and status.resend_until.isoformat(),
            "values": [[*state, values] for state, values in status.values.items()],
        }
        self._storage.put(_key(destination, hour), json.dumps(content), durable=False)

    def forget(self, destination: Destination, hour: datetime) -> None:
        """Drop a cached status; to be done before sending, so that after a crash it is found afresh."""
        self._storage.delete([_key(destination, hour)])

    def cached(self, destination: Destination, hour: datetime) -> HourStatus | None:
        """Return the status after the last run, or None if there was none or it is out of date."""
        try:
            content = json.loads(self._storage.read(_key(destination, hour)) or "null")
        except ValueError:  # a power cut can leave it empty
            return None
        if content is None or not self._is_current(content["made_from"], destination, hour):
            return None
        until = content["resend_until"]
        return HourStatus(
            {(state, reason): events for state, reason, events in content["counts"]},
            datetime.fromisoformat(until) if until else None,
            {(state, reason): values for state, reason, values in content.get("values", [])},
        )

    def _is_current(self, made_from: list[Any], destination: Destination, hour: datetime) -> bool:
        """Tell whether a status was made from what is there now.

        Versions that kept all receipts of an hour in `data.parquet` stored the fingerprint of that file. It is compared
        as well: otherwise every hour that they delivered would count as pending after an upgrade.
        """
        payloads, receipts, *settings = made_from
        current_payloads, names, *current_settings = self.made_from(destination, hour)
        if settings != current_settings or not is_same_version(payloads, current_payloads):
            return False
        notes_names = bool(receipts) and isinstance(receipts[0], str)
        if receipts == names or notes_names or names not in ([], ["data.parquet"]):
            return bool(receipts == names)
        return is_same_version(receipts, self._storage.fingerprint(f"{_folder(destination, hour)}/data.parquet"))


def _folder(destination: Destination, hour: datetime) -> str:
    return ledger_folder(Table.DELIVERY_RECEIPTS, hour, destination.id)


def _key(destination: Destination, hour: datetime) -> str:
    return f"{_folder(destination, hour)}/{FILE}"
