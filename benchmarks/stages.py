"""The speed of an hour: each stage in a process of its own, then all of them in one, as in an hourly run."""

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
from snap_pipeline.reasons import DeliveryState

PAYLOADS_A_SECOND, ACKNOWLEDGED_A_SECOND = 50_000, 33_000
"""Goals in events per second and core. Snap's limit, 1,000 requests of 2,000 events a minute, is 33,333 a second."""
TABLES = ("raw_events", "identity_links", "filtered_events", "conversion_payloads", "parameter_completeness")
TO_PAYLOADS, DISPATCH, TO_ACKNOWLEDGED = "raw to payloads", "dispatch", "raw to acknowledged"


def make_table(home: str, table: str) -> None:
    """Make one table of the chain."""
    pipeline = open_home(home)
    if table == "raw_events":
        make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    else:
        getattr(pipeline.transformations, f"make_{table}")(HOUR)


def raw_to_payloads(home: str) -> None:
    """Run all steps from landing file to payloads."""
    make_payloads(open_home(home))


def dispatch(home: str) -> Mapping[str, Any]:
    """Deliver the hour's payloads to a sandbox in a process of its own."""
    pipeline = open_home(home)
    forget_delivery(pipeline)
    with sandbox() as server:
        return deliver(pipeline, add_destination(pipeline, server.url))


def raw_to_acknowledged(home: str) -> Mapping[str, Any]:
    """Run all steps from landing file to receipts."""
    pipeline = open_home(home)
    forget_delivery(pipeline)
    with sandbox() as server:
        destination = add_destination(pipeline, server.url)
        make_payloads(pipeline)
        return deliver(pipeline, destination)


def deliver(pipeline: Pipeline, destination: Destination) -> Mapping[str, Any]:
    """Dispatch the hour, and return the counts of its delivery."""
    report = pipeline.dispatcher().dispatch(destination, HOUR)
    requests = Ledger(pipeline.lake, HOUR, destination.id, "default").folder(storage.Table.DELIVERY_REQUESTS)
    with pipeline.lake.connect() as connection:
        width = connection.execute(
            f"select sum(bytes) / sum(events) from '{pipeline.lake.storage.path(requests)}/*.parquet'"
        ).fetchone()
    return {
        "delivered": report.count(DeliveryState.DELIVERED),
        "requests": report.stats.requests,
        "bytes_an_event": round(width[0]) if width else None,
    }


def dispatch_again(home: str, *, forget: bool) -> Mapping[str, Any]:
    """Dispatch the delivered hour again, which sends nothing."""
    pipeline = open_home(home)
    (destination,) = pipeline.destinations.list()
    if forget:  # as a crash just before the end of a run leaves it
        HourStatusCache(pipeline.lake).forget(destination, HOUR)
    report = pipeline.dispatcher().dispatch(destination, HOUR)
    return {"requests": report.stats.requests}


def run(home: Path, events: int) -> tuple[Section, Mapping[str, Measured]]:
    """Measure every stage over the hour of a home."""
    measured = {table: measure(make_table, home=home, table=table) for table in TABLES}
    measured[TO_PAYLOADS] = measure(raw_to_payloads, home=home)
    measured[DISPATCH] = measure(dispatch, home=home)
    measured[TO_ACKNOWLEDGED] = measure(raw_to_acknowledged, home=home)
    measured["again, nothing to send"] = measure(dispatch_again, home=home, forget=False)
    measured["again, after a crash"] = measure(dispatch_again, home=home, forget=True)
    delivered = measured[TO_ACKNOWLEDGED].result["delivered"]
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
        f"{line_bytes} bytes a line, {measured[DISPATCH].result['bytes_an_event']} a wire event, "
        f"{measured[DISPATCH].result['requests']} requests. The sandbox is a process of its own on the same cores; "
        f"its CPU seconds are in a column of their own. Load of the machine afterwards: {os.getloadavg()[0]:.1f}.",
        goals,
        [Table(columns, rows)],
        bars={stage: measured[stage].cpu_seconds * 1e6 / events for stage in (*TABLES, DISPATCH)},
        bars_title="CPU seconds for each million events, by stage",
    )
    return section, measured
