"""Asset backfills of the whole chain, started as by the UI: Dagster's daemon makes their runs.

The tests' week goes the same way (`make week`).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill

from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import format_hour
from snap_pipeline.settings import Settings

DAEMON_SECONDS = 1_800
OVER = ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED")
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
"""The assets of the hourly job."""


@dataclass(frozen=True)
class Backfilled:
    """The measurements of backfills.

    Attributes:
        seconds: from the daemon's start to the last run's end.
        runs: the number of runs.
        failed: the number of failed runs.
        rows: the rows that the runs wrote into Dagster's event log.
    """

    seconds: float
    runs: int
    failed: int
    rows: int


def run_backfills(settings: Settings, *backfills: Iterable[datetime], at_once: int) -> Backfilled:
    """Run backfills in a new Dagster instance, in the home's folder `dagster`.

    Args:
        settings: of the home; its first hour and its clock must be given.
        backfills: the hours of each, in the order in which they are launched.
        at_once: the largest number of runs at the same time.

    Raises:
        RuntimeError: they did not end; the message has the end of the daemon's log.
    """
    folder = settings.home.absolute() / "dagster"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(
        f"telemetry:\n  enabled: false\nconcurrency:\n  runs:\n    max_concurrent_runs: {at_once}\n"
    )
    assert settings.start and settings.fixed_now
    environment = os.environ | {
        "SNAP_PIPELINE_HOME": str(settings.home.absolute()),
        "SNAP_PIPELINE_START": settings.start,
        "SNAP_PIPELINE_NOW": settings.fixed_now.isoformat(),
        "DAGSTER_HOME": str(folder),
    }
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        for number, hours in enumerate(backfills):
            launch(instance, settings, f"backfill{number}", hours)
        seconds = wait_for_daemon(instance, environment, folder / "daemon.log")
        runs = instance.get_runs()
        return Backfilled(
            seconds,
            len(runs),
            sum(not run.is_success for run in runs),
            sum(len(instance.all_logs(run.run_id)) for run in runs),
        )


def launch(
    instance: dg.DagsterInstance,
    settings: Settings,
    name: str,
    hours: Iterable[datetime],
    assets: Iterable[str] = CHAIN,
) -> None:
    """Launch a backfill of assets; those that the pipeline's version lacks are left out."""
    graph = build_definitions(settings).resolve_asset_graph()
    instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            asset_graph=graph,
            backfill_id=name,
            tags={},
            backfill_timestamp=time.time(),
            asset_selection=[key for key in map(dg.AssetKey, assets) if graph.has(key)],
            partition_names=[format_hour(hour) for hour in hours],
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )


def wait_for_daemon(instance: dg.DagsterInstance, environment: dict[str, str], log: Path) -> float:
    """Run the daemon until the backfills are over, and return the seconds that took."""
    started = time.monotonic()
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", "workspace.yaml"],
            cwd=ROOT,
            env=environment,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        while daemon.poll() is None and time.monotonic() - started < DAEMON_SECONDS:
            time.sleep(5)
            if all(backfill.status.value in OVER for backfill in instance.get_backfills()):
                return time.monotonic() - started
        raise RuntimeError(f"The backfills did not end:\n{log.read_text()[-3000:]}")
    finally:
        end(daemon)


def end(daemon: subprocess.Popen[bytes]) -> None:
    """End the process group of the daemon, its code server and its runs."""
    with suppress(ProcessLookupError):
        os.killpg(daemon.pid, signal.SIGTERM)
    try:
        daemon.wait(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
