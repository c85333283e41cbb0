"""Where an hour stands with a destination, as its last run left it.

It is kept beside the receipts, so that the reconcile sensor, `status` and a run that has nothing to do need not read
events again. It holds only as long as the files and settings that it was made from are the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from snap_pipeline.capi.limits import DEDUPLICATION_WINDOW
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, ledger_folder, partition

FILE = "_standing.json"
Counts = Mapping[tuple[str, str | None], int]


@dataclass(frozen=True)
class HourStatus:
    """How many events of an hour are in which state.

    Attributes:
        counts: events by state, and by reason where they were rejected or are undeliverable; beside the states
            `withdrawn`, receipts of events that are payloads no more, and `expiring`, those of the pending ones that
            will be too old for Snap within a day.
        resend_until: until when, in real time, something that is in doubt may be sent again without being asked.
    """

    counts: Counts
    resend_until: datetime | None = None

    def count(self, state: str) -> int:
        """Events in a state, whatever the reason."""
        return sum(events for (name, _), events in self.counts.items() if name == state)

    def is_undelivered(self, wall_clock: datetime) -> bool:
        """Whether another run could deliver something."""
        return bool(self.count("pending")) or (self.resend_until is not None and wall_clock < self.resend_until)


def hour_status_of(connection: duckdb.DuckDBPyConnection, now: datetime) -> HourStatus:
    """Counts the `payload_states` and `own_receipts` that `PayloadStates.prepare` made; `now` is the data's clock."""
    counts = {
        (state, reason): events
        for state, reason, events in connection.execute(
            "select state, case when state in ('rejected', 'undeliverable') then reason end, count(*) "
            "from payload_states group by all order by all"
        ).fetchall()
    }
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
    withdrawn, expiring, last_doubt = row or (0, 0, None)
    if withdrawn:
        counts["withdrawn", None] = withdrawn
    if expiring:
        counts["expiring", None] = expiring
    return HourStatus(counts, last_doubt and last_doubt.replace(tzinfo=UTC) + DEDUPLICATION_WINDOW)


class HourStatusCache:
    """Remembers standings.

    Args:
        lake: of payloads and receipts.
    """

    def __init__(self, lake: Lake) -> None:
        self._storage = lake.storage

    def made_from(self, destination: Destination, hour: datetime, payloads: str | None = None) -> list[Any]:
        """Return what a standing depends on, as it is now.

        To be asked for before anything of it is read, so that what another run changes meanwhile outdates the standing.
        `payloads` stands for the hour's partition where it is kept under another name.
        """
        return [
            self._storage.fingerprint(payloads or partition(Table.CONVERSION_PAYLOADS, hour)),
            sorted(name for name in self._storage.names(_folder(destination, hour)) if name.endswith(".parquet")),
            destination.api_version,
            destination.snap_app_id is not None,
            destination.web_age_days,
            destination.offline_age_days,
        ]

    def remember(self, destination: Destination, hour: datetime, status: HourStatus, made_from: list[Any]) -> None:
        """Keep a standing for as long as what it was made from is the same."""
        content = {
            "made_from": made_from,
            "counts": [[*state, events] for state, events in status.counts.items()],
            "resend_until": status.resend_until and status.resend_until.isoformat(),
        }
        self._storage.put(_key(destination, hour), json.dumps(content), durable=False)

    def forget(self, destination: Destination, hour: datetime) -> None:
        """Before sending: what a crash leaves must be looked at afresh."""
        self._storage.delete([_key(destination, hour)])

    def cached(self, destination: Destination, hour: datetime) -> HourStatus | None:
        """The standing after the last run; None where there was none, or what it was made from has changed."""
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
        )

    def _is_current(self, made_from: list[Any], destination: Destination, hour: datetime) -> bool:
        """Tell whether what a standing was made from is the same; earlier versions noted their one file of receipts.

        Taken for outdated, each hour that they delivered would count as pending, and be asked for, after an upgrade.
        """
        now = self.made_from(destination, hour)
        if made_from == now or now[1] not in ([], ["data.parquet"]):
            return made_from == now
        now[1] = self._storage.fingerprint(f"{_folder(destination, hour)}/data.parquet")
        return made_from == now


def _folder(destination: Destination, hour: datetime) -> str:
    return ledger_folder(Table.DELIVERY_RECEIPTS, hour, destination.id)


def _key(destination: Destination, hour: datetime) -> str:
    return f"{_folder(destination, hour)}/{FILE}"
