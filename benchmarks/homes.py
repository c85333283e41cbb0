"""Homes with generated hours, and the destination that benchmarks deliver to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.sandbox.server import SandboxServer
from snap_pipeline.settings import Settings

HOUR = parse_hour("2026-11-20T12")
NOW = HOUR + ONE_HOUR + timedelta(minutes=5)
START = "2025-11-01T00"
PIXEL_ID = "11111111-2222-4333-8444-555555555555"
SNAP_APP_ID = "66666666-7777-4888-9999-000000000000"
IDENTIFIED_PERCENT = 40
REQUESTS_PER_MINUTE = 60_000
"""The highest limit of a destination, which no machine reaches, so that it slows nothing down."""


def settings_of(home: Path | str) -> Settings:
    """Return the settings of a benchmark's home: two threads, the data's clock five minutes after the hour."""
    return Settings(home=Path(home), start=START, SNAP_PIPELINE_NOW=NOW, threads=2)


def open_home(home: Path | str) -> Pipeline:
    """Open the pipeline over a home."""
    return Pipeline(settings_of(home))


def land(pipeline: Pipeline, events: int, hour: datetime = HOUR, identified_percent: int = IDENTIFIED_PERCENT) -> Path:
    """Generate the one landing file of an hour."""
    folder = pipeline.landing.folder("default", hour)
    folder.mkdir(parents=True, exist_ok=True)
    query = (Path(__file__).parent / "traffic.sql").read_text()
    values = {"hour": hour.replace(tzinfo=None), "events": events, "identified_percent": identified_percent}
    with duckdb.connect() as connection, (folder / "events.ndjson").open("w", encoding="utf-8") as stream:
        connection.execute(query, values)
        while rows := connection.fetchmany(50_000):
            stream.write("".join(f"{line}\n" for (line,) in rows))
    return folder / "events.ndjson"


def land_hour(home: str, events: int, identified_percent: int) -> None:
    """Generate the newest hour of a home."""
    land(open_home(home), events, identified_percent=identified_percent)


def make_payloads(pipeline: Pipeline, hour: datetime = HOUR) -> None:
    """Run the steps from an hour's landing file to its payloads."""
    make_raw_events(pipeline.lake, pipeline.landing, hour)
    pipeline.transformations.make_identity_links(hour)
    pipeline.transformations.make_filtered_events(hour)
    pipeline.transformations.make_conversion_payloads(hour)


def add_destination(pipeline: Pipeline, url: str) -> Destination:
    """Add a live destination at a sandbox that receives every hour."""
    destination, _ = pipeline.destinations.add(
        name="sandbox",
        workspace="default",
        pixel_id=PIXEL_ID,
        snap_app_id=SNAP_APP_ID,
        since=START,
        token=AccessToken("sandbox-token"),
        base_url=url,
        requests_per_minute=REQUESTS_PER_MINUTE,
        live=True,
    )
    return destination


def forget_delivery(pipeline: Pipeline) -> None:
    """Delete what delivery wrote, so that the hour can be delivered again."""
    for destination in pipeline.destinations.list():
        pipeline.destinations.remove(destination.name)
    for table in ("delivery_receipts", "delivery_intents", "delivery_requests", "dispatched_batches"):
        shutil.rmtree(pipeline.lake.storage.path("") / table, ignore_errors=True)


@contextmanager
def sandbox() -> Iterator[SandboxServer]:
    """Start a sandbox under the benchmark's clock that does not throttle."""
    with SandboxServer(["--requests-per-second", "0"], now=NOW) as server:
        yield server
