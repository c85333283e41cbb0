"""Time a build of the marts, dbt's start included, over a generated lake: `python -m benchmarks.marts`."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import duckdb

from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.storage import literal

END = parse_hour("2026-11-20T12")
"""The running hour of the generated lake."""
PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
PARTITIONED = {
    "parameter_completeness": "hour",
    "delivery_requests": "hour, destination",
    "delivery_receipts": "hour, destination",
}
EXPORTED = ("accounting_entries", "destinations")


def generate(lake: Path, *, days: int, events: int) -> None:
    """Write the tables that the marts read, as the pipeline leaves them.

    Args:
        lake: the folder; made where it is missing.
        days: of hours that end with the last closed one.
        events: conversions an hour.
    """
    end = END.replace(tzinfo=None)
    values = {"first_hour": end - timedelta(days=days), "running_hour": end, "events": events}
    query = (Path(__file__).parent / "marts.sql").read_text()
    lake.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(lake / "generated.duckdb")) as connection:
        for statement in connection.extract_statements(query):
            connection.execute(statement, {name: values[name] for name in statement.named_parameters})
        for table, columns in PARTITIONED.items():
            connection.execute(
                f"copy (from {table} order by hour) to {literal(lake / table)}"
                f" (format parquet, compression zstd, partition_by ({columns}), filename_pattern 'data')"
            )
        for table in EXPORTED:
            (lake / table).mkdir()
            connection.execute(f"copy {table} to {literal(lake / table / 'data.parquet')} (format parquet)")
    (lake / "generated.duckdb").unlink()


def build(lake: Path) -> str:
    """Run the build of the insights job and return dbt's output.

    Raises:
        subprocess.CalledProcessError: a model or test failed.
    """
    surroundings = {
        "SNAP_PIPELINE_LAKE": str(lake),
        "SNAP_PIPELINE_NOW": END.isoformat(),
        "DBT_TARGET_PATH": str(lake.with_name("target")),
        "DBT_LOG_PATH": str(lake.with_name("logs")),
    }
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "build"]
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | surroundings, check=True, capture_output=True, text=True
    )
    return done.stdout


def measure(*, days: int, events: int) -> dict[str, float]:
    """Return the seconds that a build takes over a lake of so many days, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        generate(lake, days=days, events=events)
        started = time.monotonic()
        build(lake)
        return {"seconds": round(time.monotonic() - started, 1)}


def main() -> None:
    """Print how long a build takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--events", type=int, default=1_000, help="conversions an hour")
    arguments = parser.parse_args()
    seconds = measure(days=arguments.days, events=arguments.events)["seconds"]
    receipts = arguments.days * 24 * arguments.events * 2
    print(f"marts over {arguments.days} days of hours, {receipts:,} receipts: {seconds} s")


if __name__ == "__main__":
    main()
