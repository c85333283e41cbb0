"""Times the stages of one generated hour, from landing file to receipts, each in a process of its own.

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

from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.delivery.standing import Standings
from snap_pipeline.delivery.states import AgeLimits
from snap_pipeline.destinations.tokens import AccessToken
from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.sandbox.server import SandboxServer
from snap_pipeline.settings import Settings

HOUR = parse_hour("2026-11-20T12")
STAGES = (
    "generate",
    "raw_events",
    "filtered_events",
    "conversion_payloads",
    "parameter_completeness",
    "wire_v3",
    "dispatch",
    "resume",
)


def run_stage(stage: str, home: Path, events: int, identified_percent: int) -> dict[str, object]:
    """One stage, in this process; returns what it says of itself."""
    pipeline = Pipeline(Settings(home=home, start="2026-11-01T00", threads=2, SNAP_PIPELINE_NOW=HOUR + ONE_HOUR))
    if stage == "generate":
        generate(pipeline, events, identified_percent)
    elif stage == "raw_events":
        make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    elif stage == "wire_v3":
        build_bodies(pipeline)
    elif stage == "dispatch":
        return dispatch(pipeline)
    elif stage == "resume":
        return resume(pipeline)
    else:
        getattr(pipeline.transformations, f"make_{stage}")(HOUR)
    return {}


def generate(pipeline: Pipeline, events: int, identified_percent: int) -> None:
    """Writes the landing file."""
    folder = pipeline.landing.folder("default", HOUR)
    folder.mkdir(parents=True, exist_ok=True)
    query = (Path(__file__).parent / "traffic.sql").read_text()
    connection = duckdb.connect()
    values = {"hour": HOUR.replace(tzinfo=None), "events": events, "identified_percent": identified_percent}
    connection.execute(query, values)
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


def dispatch(pipeline: Pipeline) -> dict[str, object]:
    """Delivers the hour to a sandbox in a process of its own, the rate limit lifted."""
    booked = time_of(Ledger, "write_intent", "write_receipts", "drop_intent", "note_request", "fold")
    os.environ["SNAP_PIPELINE_NOW"] = (HOUR + ONE_HOUR).isoformat()
    with SandboxServer() as sandbox:
        destination, _ = pipeline.destinations.add(
            name="sandbox",
            workspace="default",
            pixel_id="11111111-2222-4333-8444-555555555555",
            snap_app_id="66666666-7777-4888-9999-000000000000",
            since="2026-11-01T00",
            token=AccessToken("sandbox-token"),
            base_url=sandbox.url,
            requests_per_minute=60_000,
            live=True,
        )
        started = time.monotonic()
        report = pipeline.dispatcher().dispatch(destination, HOUR)
        seconds = time.monotonic() - started
    delivered = report.count("delivered")
    with pipeline.lake.connect() as connection:
        requests = str(Ledger(pipeline.lake, HOUR, destination.id, "default").folder("delivery_requests"))
        row = connection.execute(f"select sum(bytes) / sum(events) from '{requests}/data.parquet'").fetchone()
    return {
        "delivered": delivered,
        "requests": report.tally.requests,
        "bytes an event": round(row[0]) if row else None,
        "events a second": round(delivered / seconds),
        "seconds of dispatch": round(seconds, 2),
        "thread seconds of intents, receipts and requests": {name: round(spent, 2) for name, spent in booked.items()},
    }


def resume(pipeline: Pipeline) -> dict[str, object]:
    """Dispatches the delivered hour again: as the last run left it, and as a crash just before its end would have."""
    (destination,) = pipeline.destinations.list()
    seconds = {}
    for name in ("as it stands", "after a crash"):
        started = time.monotonic()
        report = pipeline.dispatcher().dispatch(destination, HOUR)
        seconds[f"seconds {name}"] = round(time.monotonic() - started, 3)
        assert report.tally.requests == 0
        Standings(pipeline.lake, AgeLimits()).forget(destination, HOUR)
    return dict(seconds)


def time_of(cls: type, *names: str) -> dict[str, float]:
    """Seconds spent in methods, summed over threads, filled in while they run."""
    spent = dict.fromkeys(names, 0.0)

    def timed(name: str) -> None:
        method = getattr(cls, name)

        def call(*arguments: object, **options: object) -> object:
            started = time.monotonic()
            try:
                return method(*arguments, **options)
            finally:
                spent[name] += time.monotonic() - started

        setattr(cls, name, call)

    for name in names:
        timed(name)
    return spent


def measure(events: int, identified_percent: int) -> list[dict[str, float | str]]:
    """Runs every stage once over one generated hour."""
    results: list[dict[str, float | str]] = []
    with tempfile.TemporaryDirectory() as home:
        for stage in STAGES:
            started = time.monotonic()
            command = [sys.executable, "-m", "benchmarks", "--stage", stage, "--home", home]
            command += ["--events", str(events), "--identified-percent", str(identified_percent)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            said = json.loads(done.stdout)
            peak = said.pop("peak_mib")
            results.append({"stage": stage, "seconds": round(time.monotonic() - started, 2), "peak_mib": peak})
            if said:
                print(f"{stage}: {json.dumps(said)}")
        landed = sum(file.stat().st_size for file in Path(home).glob("landing/*/*/*"))
        results[0]["bytes a line"] = round(landed / events)
    return results


def main() -> None:
    """Prints the table, and writes it to benchmarks/results/ when it is asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--identified-percent", type=int, default=40, help="of the events carry identifiers")
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.stage:
        said = run_stage(arguments.stage, arguments.home, arguments.events, arguments.identified_percent)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"peak_mib": peak, **said}))
        return
    results = measure(arguments.events, arguments.identified_percent)
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
