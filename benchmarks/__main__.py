"""Times the stages of one generated hour, from landing file to payloads, each in a process of its own.

Absolute times on shared machines mean little; the table names machine, versions and commit, and says events a
second for each core that the stage was given.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings

HOUR = parse_hour("2026-11-20T12")
STAGES = ("generate", "raw_events", "filtered_events", "conversion_payloads", "parameter_completeness", "wire_v3")


def run_stage(stage: str, home: Path, events: int) -> None:
    """One stage, in this process."""
    pipeline = Pipeline(Settings(home=home, start="2026-11-01T00", threads=2))
    if stage == "generate":
        generate(pipeline, events)
    elif stage == "raw_events":
        make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    elif stage == "wire_v3":
        build_bodies(pipeline)
    else:
        getattr(pipeline.transformations, f"make_{stage}")(HOUR)


def generate(pipeline: Pipeline, events: int) -> None:
    """Writes the landing file."""
    folder = pipeline.landing.folder("default", HOUR)
    folder.mkdir(parents=True, exist_ok=True)
    query = (Path(__file__).parent / "traffic.sql").read_text()
    connection = duckdb.connect()
    connection.execute(query, {"hour": HOUR.replace(tzinfo=None), "events": events})
    with (folder / "events.ndjson").open("w") as stream:
        while rows := connection.fetchmany(50_000):
            stream.write("".join(f"{line}\n" for (line,) in rows))


def build_bodies(pipeline: Pipeline) -> None:
    """Streams every payload's JSON as delivery does, and drops it."""
    from snap_pipeline.capi.wire import MAXIMUM_EVENTS, projection

    with pipeline.lake.connect() as connection:
        path = pipeline.lake.path("conversion_payloads", HOUR)
        connection.execute(f"create view conversion_payloads as from read_parquet('{path}', file_row_number = true)")
        connection.execute("create table due as select file_row_number from conversion_payloads; set threads = 1")
        connection.execute(projection("v3"))
        while connection.fetchmany(MAXIMUM_EVENTS):
            pass


def measure(events: int) -> list[dict[str, float | str]]:
    """Runs every stage once over one generated hour."""
    results: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as home:
        for stage in STAGES:
            started = time.monotonic()
            command = [sys.executable, "-m", "benchmarks", "--stage", stage, "--home", home, "--events", str(events)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            peak = json.loads(done.stdout)["peak_mib"]
            results.append({"stage": stage, "seconds": round(time.monotonic() - started, 2), "peak_mib": peak})
        landed = sum(file.stat().st_size for file in Path(home).glob("landing/*/*/*"))
        results[0]["bytes a line"] = round(landed / events)
    return results


def main() -> None:
    """Prints the table, and writes it to benchmarks/results/ when it is asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.stage:
        run_stage(arguments.stage, arguments.home, arguments.events)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"peak_mib": peak}))
        return
    results = measure(arguments.events)
    cores = os.cpu_count() or 1
    table = Table("stage", "seconds, whole process", "events a second and core", "peak MiB")
    for row in results:
        table.add_row(
            str(row["stage"]),
            f"{row['seconds']:.2f}",
            f"{arguments.events / float(row['seconds']) / cores:,.0f}",
            f"{row['peak_mib']:,.0f}",
        )
    Console(width=100).print(table)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    print(
        f"{arguments.events:,} events, {results[0]['bytes a line']} bytes a line, {cores} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, DuckDB {version('duckdb')}, commit {commit.strip()}"
    )


if __name__ == "__main__":
    main()
