"""The cost of an hour with days or a year of hours before it, and of `status` and the reconcile sensor."""

import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.history import make_history
from benchmarks.homes import HOUR, land, make_payloads, open_home, sandbox
from benchmarks.processes import Measured, measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake import storage
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.reasons import DeliveryState

EVENTS = 100_000
DAYS = (0, 30, 365)
ROUNDS = 3


def prepare(home: str, days: int, url: str) -> None:
    """Make a home with so many days of delivered hours, and land a large hour."""
    make_history(home, days * 24, url, last=format_hour(HOUR - ONE_HOUR))
    pipeline = open_home(home)
    status(pipeline)  # the checks of a run count its hours; these copies have not been counted yet
    land(pipeline, EVENTS)


def status(pipeline: Pipeline) -> None:
    """Query everything that `snap-pipeline status` shows, of all hours."""
    accounting, settings = pipeline.accounting, pipeline.settings
    hours = accounting.hours(settings.first_hour, settings.running_hour)
    accounting.entries(hours, pipeline.destinations.list())
    accounting.shared_orders(hours)
    pipeline.outdated_hours.find(hours)
    pipeline.outdated_hours.find_outdated_consent(hours)
    pipeline.backlog.unread_hours(settings.running_hour)
    pipeline.landing.unknown_folders()


def run_newest_hour(home: str) -> Mapping[str, Any]:
    """Run the newest hour, from landing file to receipts."""
    pipeline = open_home(home)
    for folder in pipeline.lake.storage.path("").glob(f"*/hour={format_hour(HOUR)}"):
        shutil.rmtree(folder)
    make_payloads(pipeline)
    (destination,) = pipeline.destinations.list()
    return {"delivered": pipeline.dispatcher().dispatch(destination, HOUR).count(DeliveryState.DELIVERED)}


def time_scans(home: str) -> Mapping[str, Any]:
    """Time the operations that visit every hour."""
    pipeline, taken = open_home(home), {}

    def timed(name: str, look: Any) -> Any:
        started = time.monotonic()
        result = look()
        taken[name] = time.monotonic() - started
        return result

    hours = timed("listing the partitions of a table", lambda: pipeline.lake.storage.hours(storage.Table.RAW_EVENTS))
    timed("`status`", lambda: status(pipeline))
    timed(
        "the reconcile sensor",
        lambda: pipeline.backlog.find(pipeline.settings.running_hour - ONE_HOUR, datetime.now(UTC)),
    )
    return {"hours": len(hours), "seconds": taken, "state_bytes": (Path(home) / "state.db").stat().st_size}


def run(folder: Path) -> Section:
    """Measure homes with different histories, below the folder."""
    homes = {days: folder / f"days{days}" for days in DAYS}
    taken: dict[int, list[Measured]] = {days: [] for days in DAYS}
    with sandbox() as server:
        for days, home in homes.items():
            measure(prepare, home=home, days=days, url=server.url)
        for _ in range(ROUNDS):
            for days, home in homes.items():
                taken[days].append(measure(run_newest_hour, home=home))
        looks = {days: measure(time_scans, home=home) for days, home in homes.items() if days}
    cpu = {days: min(each.process_cpu_seconds for each in measured) for days, measured in taken.items()}
    wall = {days: min(each.process_seconds for each in measured) for days, measured in taken.items()}
    names = list(looks[DAYS[-1]].result["seconds"])
    rows = [
        [
            f"{days} days",
            f"{cpu[days]:.2f}",
            f"{wall[days]:.2f}",
            *(f"{looks[days].result['seconds'][name]:.2f}" if days else "" for name in names),
            f"{looks[days].result['state_bytes'] // 1024} KiB" if days else "",
        ]
        for days in DAYS
    ]
    year = looks[DAYS[-1]].result["seconds"]
    return Section(
        "Growth",
        f"An hour of {EVENTS:,} events from landing file to receipts, with nothing and with days of delivered hours "
        f"behind it; whole processes, the best of {ROUNDS} rounds in turns. Then, in seconds, what looks at all hours.",
        [
            Goal("an hour with 365 days behind it, over one with 30", cpu[365] / cpu[30], 1.1, "at most"),
            Goal("CPU seconds that 365 days behind an hour add to it", cpu[365] - cpu[0], 1.0, "at most"),
            *(Goal(f"{name} over a year, seconds", seconds, 3.0, "at most") for name, seconds in year.items()),
        ],
        [Table(("behind it", "CPU seconds", "seconds", *names, "state database"), rows)],
    )
