"""How fast is an hour? Each stage in a process of its own, then all of them in one, as an hourly run has them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.homes import HOUR, add_destination, forget_delivery, make_payloads, open_home, sandbox
from benchmarks.processes import Measured, measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.delivery.hour_status import HourStatusCache
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.lake import storage
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.pipeline import Pipeline

PAYLOADS_A_SECOND, ACKNOWLEDGED_A_SECOND = 50_000, 33_000
"""The goals, events for each second of one core. A pixel may be sent 1,000 requests x 2,000 events a minute at most."""
TABLES = ("raw_events", "identity_links", "filtered_events", "conversion_payloads", "parameter_completeness")
TO_PAYLOADS, DISPATCH, TO_ACKNOWLEDGED = "raw to payloads", "dispatch", "raw to acknowledged"


def make_table(home: str, table: str) -> None:
    """One step of the chain."""
    pipeline = open_home(home)
    if table == "raw_events":
        make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    else:
        getattr(pipeline.transformations, f"make_{table}")(HOUR)


def raw_to_payloads(home: str) -> None:
    """From landing file to payloads, as one run."""
    make_payloads(open_home(home))


def dispatch(home: str) -> Mapping[str, Any]:
    """Delivers the hour's payloads to a sandbox in a process of its own."""
    pipeline = open_home(home)
    forget_delivery(pipeline)
    with sandbox() as server:
        return deliver(pipeline, add_destination(pipeline, server.url))


def raw_to_acknowledged(home: str) -> Mapping[str, Any]:
    """From landing file to receipts, as one run."""
    pipeline = open_home(home)
    forget_delivery(pipeline)
    with sandbox() as server:
        destination = add_destination(pipeline, server.url)
        make_payloads(pipeline)
        return deliver(pipeline, destination)


def deliver(pipeline: Pipeline, destination: Destination) -> Mapping[str, Any]:
    """Sends what is due and says what became of it."""
    report = pipeline.dispatcher().dispatch(destination, HOUR)
    requests = Ledger(pipeline.lake, HOUR, destination.id, "default").folder(storage.Table.DELIVERY_REQUESTS)
    with pipeline.lake.connect() as connection:
        width = connection.execute(
            f"select sum(bytes) / sum(events) from '{pipeline.lake.storage.path(requests)}/*.parquet'"
        ).fetchone()
    return {
        "delivered": report.count("delivered"),
        "requests": report.stats.requests,
        "bytes_an_event": round(width[0]) if width else None,
    }


def again(home: str, *, forget: bool) -> Mapping[str, Any]:
    """Runs over the delivered hour once more: nothing is to be sent, and that is to be found out quickly."""
    pipeline = open_home(home)
    (destination,) = pipeline.destinations.list()
    if forget:  # as a crash just before the end of a run leaves it
        HourStatusCache(pipeline.lake).forget(destination, HOUR)
    report = pipeline.dispatcher().dispatch(destination, HOUR)
    return {"requests": report.stats.requests}


def ask(home: Path, events: int) -> tuple[Section, Mapping[str, Measured]]:
    """Measures every stage over the hour that the home holds."""
    measured = {table: measure(make_table, home=home, table=table) for table in TABLES}
    measured[TO_PAYLOADS] = measure(raw_to_payloads, home=home)
    measured[DISPATCH] = measure(dispatch, home=home)
    measured[TO_ACKNOWLEDGED] = measure(raw_to_acknowledged, home=home)
    measured["again, nothing to send"] = measure(again, home=home, forget=False)
    measured["again, after a crash"] = measure(again, home=home, forget=True)
    delivered = measured[TO_ACKNOWLEDGED].said["delivered"]
    line_bytes = sum(file.stat().st_size for file in home.glob("landing/*/*/*")) // events
    rows = [
        [
            stage,
            f"{each.seconds:.2f}",
            f"{each.cpu_seconds:.2f}",
            f"{each.children_cpu_seconds:.2f}" if each.children_cpu_seconds else "",
            f"{events / each.cpu_seconds:,.0f}",
            f"{each.process_seconds - each.seconds:.2f}",
            f"{each.peak_mib:,}",
        ]
        for stage, each in measured.items()
    ]
    columns = (
        "stage",
        "seconds",
        "CPU seconds",
        "the sandbox's CPU seconds",
        "events for each CPU second",
        "seconds of starting",
        "peak MiB",
    )
    goals = [
        Goal(
            f"{events:,} events, raw to payloads: events for each second of one core",
            events / measured[TO_PAYLOADS].cpu_seconds,
            PAYLOADS_A_SECOND,
            "at least",
        ),
        Goal(
            f"{events:,} events, raw to acknowledged: events for each second of one core",
            events / measured[TO_ACKNOWLEDGED].cpu_seconds,
            ACKNOWLEDGED_A_SECOND,
            "at least",
        ),
        Goal(f"{events:,} events: share that was delivered", delivered / events, 1.0, "at least"),
        Goal(
            f"{events:,} events, end to end: peak memory in GiB",
            max(each.peak_mib for each in measured.values()) / 1024,
            3.0,
            "at most",
        ),
    ]
    section = Section(
        f"The stages of an hour of {events:,} events",
        f"{line_bytes} bytes a line, {measured[DISPATCH].said['bytes_an_event']} a wire event, "
        f"{measured[DISPATCH].said['requests']} requests. The sandbox is a process of its own on the same cores; what "
        f"it takes stands beside what the pipeline takes. Load of the machine afterwards: {os.getloadavg()[0]:.1f}.",
        goals,
        [Table(columns, rows)],
        bars={stage: measured[stage].cpu_seconds * 1e6 / events for stage in (*TABLES, DISPATCH)},
        bars_title="CPU seconds for each million events, by stage",
    )
    return section, measured
