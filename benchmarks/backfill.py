"""The duration of a backfill of a month of hours, and the pipeline's own share of it.

The backfill is started as the UI does: Dagster's daemon makes its runs, one or two of them at once. The same hours
without Dagster, in one process, are the pipeline's share.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import requests

from benchmarks.homes import HOUR, PIXEL_ID, add_destination, make_payloads, open_home, sandbox, settings_of
from benchmarks.processes import measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, hours_between

if TYPE_CHECKING:
    from benchmarks.daemon import Backfilled

EVENTS_AN_HOUR = 2_000
OWN_SECONDS_A_MONTH = 60.0
MONTH = 720


def hours_of(count: int) -> list[datetime]:
    """Return so many hours up to the last one that closed."""
    return list(hours_between(HOUR - (count - 1) * ONE_HOUR, HOUR))


def prepare(home: str, hours: int, url: str) -> None:
    """Land the hours, and add their destination."""
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
    """Run every hour without Dagster, one after the other."""
    pipeline = open_home(home)
    (destination,) = pipeline.destinations.list()
    dispatcher = pipeline.dispatcher()
    for hour in hours_of(hours):
        make_payloads(pipeline, hour)
        pipeline.transformations.make_parameter_completeness(hour)
        dispatcher.dispatch(destination, hour)


def run_daemon(folder: Path, hours: int, at_once: int) -> "tuple[Backfilled, int]":
    """Run a backfill in a home of its own, and return the number of events that reached the sandbox with it."""
    # Dagster takes seconds to import, which are no part of the hours without it.
    from benchmarks.daemon import run_backfills

    home = folder / f"runs{at_once}"
    with sandbox() as server:
        measure(prepare, home=home, hours=hours, url=server.url)
        backfill = run_backfills(settings_of(home), hours_of(hours), at_once=at_once)
        answer = requests.get(
            f"{server.url}/_sandbox/events", params={"asset_id": PIXEL_ID, "fields": "ids"}, timeout=120
        )
        return backfill, len(answer.json())


def run(folder: Path, hours: int) -> Section:
    """Measure the hours without Dagster, then as backfills with one run at once and with two."""
    home = folder / "own"
    with sandbox() as server:
        measure(prepare, home=home, hours=hours, url=server.url)
        own = measure(without_dagster, home=home, hours=hours)
    shutil.rmtree(home)
    backfills = {at_once: run_daemon(folder, hours, at_once) for at_once in (1, 2)}
    one, two = (backfill for backfill, _ in backfills.values())
    rows = [
        ["without Dagster, one process", f"{own.process_seconds:.0f}", f"{own.process_cpu_seconds:.0f}", "", "", ""]
    ]
    rows += [
        [
            f"backfill, runs at once: {at_once}",
            f"{each.seconds:.0f}",
            "",
            str(each.runs),
            str(each.failed),
            f"{each.rows / hours:.1f}",
        ]
        for at_once, (each, _) in backfills.items()
    ]
    arrived = min(events for _, events in backfills.values()) / (hours * EVENTS_AN_HOUR)
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
            Goal("seconds with two runs at once, over one", two.seconds / one.seconds, 1.0, "at most"),
        ],
        [Table(("", "seconds", "CPU seconds", "runs", "failed", "event rows for each hour"), rows)],
    )
