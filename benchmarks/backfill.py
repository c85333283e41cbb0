"""How long does a month of hours take as a backfill, and how much of that is our own work?

The backfill is the one that the UI's button starts: Dagster's daemon makes its runs, one or two of them at once. The
same hours without Dagster, in one process, are our own part of it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import requests

from benchmarks.homes import HOUR, NOW, PIXEL_ID, START, add_destination, make_payloads, open_home, sandbox, settings_of
from benchmarks.processes import measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between

EVENTS_AN_HOUR = 2_000
DAEMON_SECONDS = 1_800
OWN_SECONDS_A_MONTH = 60.0
MONTH = 720
ROOT = Path(__file__).parents[1]
CHAIN = (
    "raw_events",
    "quarantined_lines",
    "identity_links",
    "filtered_events",
    "excluded_events",
    "conversion_payloads",
    "parameter_completeness",
    "dispatched_batches",
    "delivery_receipts",
    "delivery_requests",
)
"""What the hourly job makes, where the home's version of the pipeline has it."""


def hours_of(count: int) -> list[datetime]:
    """The hours up to the last one that closed."""
    return list(hours_between(HOUR - (count - 1) * ONE_HOUR, HOUR))


def prepare(home: str, hours: int, url: str) -> None:
    """Lands the hours, and says who receives them."""
    pipeline = open_home(home)
    add_destination(pipeline, url)
    query = (Path(__file__).parent / "offline.sql").read_text()
    with duckdb.connect() as connection:
        for hour in hours_of(hours):
            folder = pipeline.landing.folder("default", hour)
            folder.mkdir(parents=True)
            moment = hour.replace(tzinfo=None).isoformat(" ")
            lines = connection.execute(query, {"hour": moment, "events": EVENTS_AN_HOUR}).fetchall()
            (folder / "upload.ndjson").write_text("".join(f"{line}\n" for (line,) in lines), encoding="utf-8")


def without_dagster(home: str, hours: int) -> None:
    """Every hour, one after the other."""
    pipeline = open_home(home)
    (destination,) = pipeline.destinations.list()
    dispatcher = pipeline.dispatcher()
    for hour in hours_of(hours):
        make_payloads(pipeline, hour)
        pipeline.transformations.make_parameter_completeness(hour)
        dispatcher.dispatch(destination, hour)


def launch(home: str, hours: int) -> None:
    """Asks Dagster for the backfill, as the UI's button does."""
    import dagster as dg
    from dagster._core.execution.backfill import PartitionBackfill

    from snap_pipeline.definitions import build_definitions

    graph = build_definitions(settings_of(home)).resolve_asset_graph()
    with dg.DagsterInstance.get() as instance:
        instance.add_backfill(
            PartitionBackfill.from_asset_partitions(
                asset_graph=graph,
                backfill_id="month",
                tags={},
                backfill_timestamp=time.time(),
                asset_selection=[key for key in map(dg.AssetKey, CHAIN) if graph.has(key)],
                partition_names=[format_hour(hour) for hour in hours_of(hours)],
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        )


def look(home: str) -> Mapping[str, Any]:  # noqa: ARG001 - the environment names Dagster's home
    """How far the backfill is, and how many rows of events its runs have written."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        backfill = instance.get_backfill("month")
        runs = instance.get_runs()
        done = backfill is not None and backfill.status.value in ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED")
        return {
            "done": done,
            "runs": len(runs),
            "failed": sum(run.is_failure_or_canceled for run in runs),
            "rows": sum(len(instance.all_logs(run.run_id)) for run in runs) if done else None,
        }


def run_backfill(folder: Path, hours: int, at_once: int) -> Mapping[str, Any]:
    """One backfill in a home of its own, from the daemon's start to the last run's end."""
    home, dagster_home = folder / f"runs{at_once}", folder / f"runs{at_once}" / "dagster"
    dagster_home.mkdir(parents=True)
    (dagster_home / "dagster.yaml").write_text(
        f"telemetry:\n  enabled: false\nconcurrency:\n  runs:\n    max_concurrent_runs: {at_once}\n"
    )
    changes = {
        "SNAP_PIPELINE_HOME": str(home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "DAGSTER_HOME": str(dagster_home),
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        with sandbox() as server:
            measure(prepare, home=home, hours=hours, url=server.url)
            measure(launch, home=home, hours=hours)
            seconds, said = wait_for_daemon(home, folder / f"daemon{at_once}.log")
            answer = requests.get(
                f"{server.url}/_sandbox/events", params={"asset_id": PIXEL_ID, "fields": "ids"}, timeout=120
            )
            return {"seconds": seconds, "arrived": len(answer.json()), **said}
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def wait_for_daemon(home: Path, log: Path) -> tuple[float, Mapping[str, Any]]:
    """Runs Dagster's daemon until the backfill is over."""
    started = time.monotonic()
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", "workspace.yaml"],
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        while time.monotonic() - started < DAEMON_SECONDS:
            time.sleep(5)
            said = measure(look, home=home).said
            if said["done"]:
                return time.monotonic() - started, said
            if daemon.poll() is not None:
                break
        raise RuntimeError(f"The backfill did not end:\n{log.read_text()[-3000:]}")
    finally:
        end(daemon)


def end(daemon: subprocess.Popen[bytes]) -> None:
    """Ends the daemon and what it started, which are a process group: code server and runs."""
    os.killpg(daemon.pid, signal.SIGTERM)
    try:
        daemon.wait(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)


def ask(folder: Path, hours: int) -> Section:
    """Homes of their own below the folder: without Dagster, then one run at once, then two."""
    home = folder / "own"
    with sandbox() as server:
        measure(prepare, home=home, hours=hours, url=server.url)
        own = measure(without_dagster, home=home, hours=hours)
    shutil.rmtree(home)
    backfills = {at_once: run_backfill(folder, hours, at_once) for at_once in (1, 2)}
    one, two = backfills[1], backfills[2]
    rows = [
        ["without Dagster, one process", f"{own.process_seconds:.0f}", f"{own.process_cpu_seconds:.0f}", "", "", ""]
    ]
    rows += [
        [
            f"backfill, runs at once: {at_once}",
            f"{each['seconds']:.0f}",
            "",
            str(each["runs"]),
            str(each["failed"]),
            f"{each['rows'] / hours:.1f}",
        ]
        for at_once, each in backfills.items()
    ]
    arrived = min(each["arrived"] for each in backfills.values()) / (hours * EVENTS_AN_HOUR)
    return Section(
        "Backfill",
        f"{hours} hours of {EVENTS_AN_HOUR:,} offline conversions each, as an asset backfill of the whole chain that "
        "Dagster's daemon runs, the daemon's start included, and the same hours without Dagster.",
        [
            Goal(
                f"our own work of {MONTH} hours, seconds, from {hours}",
                own.process_seconds * MONTH / hours,
                OWN_SECONDS_A_MONTH,
                "at most",
            ),
            Goal("share of the conversions that reached the sandbox", arrived, 0.99, "at least"),
            Goal("seconds with two runs at once, over one", two["seconds"] / one["seconds"], 1.0, "at most"),
        ],
        [Table(("", "seconds", "CPU seconds", "runs", "failed", "event rows for each hour"), rows)],
    )
