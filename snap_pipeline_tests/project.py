"""A project for each test: a home, the sandbox, and Dagster on an instance in memory."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import requests

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.accounting import Entry
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake import macros
from snap_pipeline.lake.storage import partition
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline.orchestration.runs import range_tags
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings

PIXEL_ID = "11111111-2222-4333-8444-555555555555"
SNAP_APP_ID = "66666666-7777-4888-9999-000000000000"
TOKEN = "sandbox-token"
NOW = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
"""The clock of the tests: the sample events are of this day, and the sandbox checks ages against it."""
START = "2026-11-10T00"
HOUR = parse_hour("2026-11-20T12")


@cache
def macro_folder() -> Path:
    """Return a folder with the database of the macros, which a process of tests makes once."""
    folder = Path(tempfile.mkdtemp(prefix="snap-pipeline-macros-"))
    atexit.register(shutil.rmtree, folder)
    with duckdb.connect() as connection:
        macros.attach(connection, folder)
    return folder


class Project:
    """A project under test: lands events, materializes hours, and reads the sandbox."""

    def __init__(self, home: Path, sandbox_url: str) -> None:
        self.settings = Settings(home=home, start=START, SNAP_PIPELINE_NOW=NOW, threads=2)
        shutil.copytree(macro_folder(), self.settings.lake / macros.FOLDER, dirs_exist_ok=True)
        self.sandbox_url = sandbox_url
        self.pipeline = Pipeline(self.settings)
        self.instance = dg.DagsterInstance.ephemeral()

    def reopen(self, **changes: Any) -> None:
        """Reopen the home with other settings, or after its files changed."""
        self.settings = self.settings.model_copy(update=changes)
        self.pipeline = Pipeline(self.settings)

    def land(
        self,
        *events: Mapping[str, Any] | str,
        hour: datetime = HOUR,
        name: str = "events",
        workspace: str = "default",
    ) -> Path:
        """Write events, or lines as they are, to one file of an hour."""
        lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
        return self.land_bytes("\n".join(lines).encode() + b"\n", f"{name}.ndjson", hour=hour, workspace=workspace)

    def land_bytes(self, content: bytes, name: str, *, hour: datetime = HOUR, workspace: str = "default") -> Path:
        """Write a file of an hour."""
        folder = self.pipeline.landing.folder(workspace, hour)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return folder / name

    def add_destination(self, name: str = "shop", **changes: Any) -> Destination:
        """Add a live destination at the sandbox that receives every hour."""
        fields: dict[str, Any] = {
            "name": name,
            "workspace": "default",
            "pixel_id": PIXEL_ID,
            "snap_app_id": SNAP_APP_ID,
            "api_version": "v3",
            "base_url": self.sandbox_url,
            "requests_per_minute": 60_000,
            "since": START,
            "live": True,
            "token": AccessToken(TOKEN),
        }
        destination, _ = self.pipeline.destinations.add(**(fields | changes))
        return destination

    def materialize(self, first: datetime = HOUR, last: datetime | None = None) -> dg.ExecuteInProcessResult:
        """Run the hourly job over a range, as the schedule or a backfill would."""
        job = build_definitions(self.settings).resolve_job_def(HOURLY_JOB)
        return job.execute_in_process(
            instance=self.instance, tags=range_tags(first, last or first), raise_on_error=False
        )

    def rows(self, table: str, query: str = "from {table}", hour: datetime = HOUR) -> list[dict[str, Any]]:
        """Query a table's hour; `{table}` in the query is the table."""
        path = self.pipeline.lake.storage.path(partition(table, hour))
        with self.pipeline.lake.connect() as connection:
            source = f"read_parquet('{path}', hive_partitioning = false)"
            cursor = connection.execute(query.format(table=source))
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def entries(self, first: datetime = HOUR, last: datetime | None = None) -> list[Entry]:
        """Return the accounting of a range."""
        accounting = self.pipeline.accounting
        return accounting.entries(accounting.hours(first, last or first), self.pipeline.destinations.list())

    def counts(self, first: datetime = HOUR, last: datetime | None = None) -> dict[str, int]:
        """Return event counts by entry, and by `entry: reason`."""
        counts: dict[str, int] = {}
        for entry in self.entries(first, last):
            for label in {entry.entry, f"{entry.entry}: {entry.reason}" if entry.reason else entry.entry}:
                counts[label] = counts.get(label, 0) + entry.events
        return counts

    def received(self, asset_id: str = PIXEL_ID) -> list[dict[str, Any]]:
        """Return the sandbox's events of an asset, after deduplication."""
        answer = requests.get(f"{self.sandbox_url}/_sandbox/events", params={"asset_id": asset_id}, timeout=30)
        answer.raise_for_status()
        return list(answer.json())

    def requests_seen(self, path: str = "/events") -> list[dict[str, Any]]:
        """Return the requests to this path that the sandbox received."""
        answer = requests.get(f"{self.sandbox_url}/_sandbox/requests", timeout=30)
        answer.raise_for_status()
        return [request for request in answer.json()["requests"] if request["path"].endswith(path)]

    def set_fault(self, **fault: Any) -> None:
        """Set a fault of the sandbox."""
        requests.post(f"{self.sandbox_url}/_sandbox/faults", json=fault, timeout=30).raise_for_status()

    def clear_faults(self) -> None:
        """Clear all faults of the sandbox."""
        requests.delete(f"{self.sandbox_url}/_sandbox/faults", timeout=30).raise_for_status()


def purchase(event_id: str, *, at: datetime = HOUR, **changes: Any) -> dict[str, Any]:
    """Return a purchase that Snap accepts, in the first-party format."""
    event: dict[str, Any] = {
        "event_id": event_id,
        "event_name": "purchase",
        "event_timestamp": at.isoformat(),
        "email": f"{event_id}@example.com",
        "properties": {"value": 10, "currency": "EUR", "order_id": f"o-{event_id}"},
    }
    return event | changes


def ids(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the sorted event ids."""
    return sorted(event["event_id"] for event in events)


def key(hour: datetime) -> str:
    """Return the hour's partition key."""
    return format_hour(hour)
