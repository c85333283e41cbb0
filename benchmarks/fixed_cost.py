"""The fixed cost of an hour with few events: the whole job in a fresh process, and the pipeline's part of it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.homes import HOUR, NOW, START, add_destination, land, make_payloads, open_home, sandbox
from benchmarks.processes import measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, format_hour, parse_hour

EVENTS = 100
ROUNDS = 3


def prepare(home: str, url: str) -> None:
    """Land hours with a hundred events each, and add their destination."""
    pipeline = open_home(home)
    add_destination(pipeline, url)
    for hour in range(2 * ROUNDS + 1):
        land(pipeline, EVENTS, HOUR - hour * ONE_HOUR)


def without_dagster(home: str, hour: str) -> None:
    """Run the job of an hour without Dagster."""
    pipeline, moment = open_home(home), parse_hour(hour)
    make_payloads(pipeline, moment)
    pipeline.transformations.make_parameter_completeness(moment)
    (destination,) = pipeline.destinations.list()
    report = pipeline.dispatcher().dispatch(destination, moment)
    if not report.is_complete:
        raise RuntimeError(f"not everything was delivered: {report.counts}")


def materialize(home: Path, hour: str) -> float:
    """Return the seconds of `snap-pipeline materialize` for one hour."""
    environment = os.environ | {
        "SNAP_PIPELINE_HOME": str(home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
    }
    environment.pop("DAGSTER_HOME", None)
    command = [sys.executable, "-c", "from snap_pipeline.cli import main; main()", "materialize"]
    started = time.monotonic()
    subprocess.run([*command, "--from", hour, "--to", hour], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def run(home: Path) -> Section:
    """Measure the rounds, each with an hour of its own, in a new home."""
    hours = [format_hour(HOUR - hour * ONE_HOUR) for hour in range(2 * ROUNDS + 1)]
    with sandbox() as server:
        measure(prepare, home=home, url=server.url)
        first = materialize(home, hours.pop())
        whole = [materialize(home, hours.pop()) for _ in range(ROUNDS)]
        own = [measure(without_dagster, home=home, hour=hours.pop()) for _ in range(ROUNDS)]
    ours = median(each.process_seconds for each in own)
    rows = [
        ["the whole job, `snap-pipeline materialize`", f"{median(whole):.2f}"],
        ["the same in a new home, where Dagster makes its databases", f"{first:.2f}"],
        ["the job without Dagster, a whole process", f"{ours:.2f}"],
        ["of that its work, Python's start and imports left out", f"{median(each.seconds for each in own):.2f}"],
    ]
    return Section(
        "Fixed cost",
        f"An hour of {EVENTS} events, from landing file to receipts, in a fresh process; the median of {ROUNDS}.",
        [
            Goal(f"{EVENTS} events, the whole job in a fresh process, seconds", median(whole), 8.0, "at most"),
            Goal(f"{EVENTS} events, the job without Dagster in a fresh process, seconds", ours, 1.5, "at most"),
        ],
        [Table(("", "seconds"), rows)],
    )
