"""The cost of identity resolution: an hour is filtered with no links, 30 days and a year of them before it."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.homes import HOUR, land, open_home
from benchmarks.processes import Measured, measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake import storage
from snap_pipeline.lake.identity import COMPRESSION
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import literal

EVENTS = 100_000
LINKS_AN_HOUR = 14_000
"""The links of each hour: ten million in 30 days."""
WINDOW_HOURS = 30 * 24
IDENTIFIED_PERCENT_NOW = 5
"""The share of events with identifiers; most people gave theirs in an earlier hour."""
ROUNDS = 3


@dataclass(frozen=True)
class History:
    """The links of the hours before the newest one."""

    name: str
    days: int
    returning_percent: int = 2
    """The share of each older hour's links whose devices are back in the newest hour."""


NOTHING, MONTH, YEAR = History("0 days", 0), History("30 days", 30), History("365 days", 365)
FAMILIAR = History("30 days, familiar devices", 30, returning_percent=10)
PASTS = (NOTHING, MONTH, YEAR, FAMILIAR)


def prepare(home: str, days: int, returning_percent: int) -> None:
    """Make an hour of raw events with its links, and links of so many days before it."""
    pipeline = open_home(home)
    land(pipeline, EVENTS)
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_identity_links(HOUR)
    query = (Path(__file__).parent / "older_links.sql").read_text()
    newest = pipeline.lake.storage.path(links(HOUR))
    with pipeline.lake.connect_with_macros() as connection:
        connection.execute(
            f"create temp table template as from read_parquet({literal(newest)}, hive_partitioning = false);"
            f"set variable share = (select {LINKS_AN_HOUR} / count(*) from template);"
            f"set variable returning_percent = {returning_percent}"
        )
        versions = pipeline.lake.storage.notes(connection, links(HOUR))
        for number in range(1, days * 24 + 1):
            hour = HOUR - number * ONE_HOUR
            path = pipeline.lake.storage.path(links(hour))
            if number > WINDOW_HOURS:  # outside the window and never read, so that they may be the same
                path.parent.mkdir()
                os.link(pipeline.lake.storage.path(links(hour + WINDOW_HOURS * ONE_HOUR)), path)
                continue
            connection.execute(f"set variable older_hour = {literal(format_hour(hour))}")
            connection.execute(f"set variable older_by = interval {number} hour")
            pipeline.lake.storage.commit(connection, links(hour), query, metadata=versions, compression=COMPRESSION)
    land(pipeline, EVENTS, identified_percent=IDENTIFIED_PERCENT_NOW)
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_identity_links(HOUR)


def links(hour: datetime) -> str:
    """Return the key of an hour's links."""
    return storage.partition(storage.Table.IDENTITY_LINKS, hour)


def filter_events(home: str) -> dict[str, int]:
    """Make the filtered events of the hour, the step that reads the links."""
    pipeline = open_home(home)
    return {"kept": pipeline.transformations.make_filtered_events(HOUR).kept}


def count_links(home: str) -> dict[str, int]:
    """Count the links in the window, and those of devices of the newest hour."""
    pipeline = open_home(home)
    newest = literal(pipeline.lake.storage.path(links(HOUR)))
    with pipeline.lake.connect() as connection:
        row = connection.execute(
            "select count(*), count(*) filter (where device_number in "
            f"(select device_number from read_parquet({newest}))) "
            f"from read_parquet({literal(pipeline.lake.storage.path('') / 'identity_links' / '*' / '*.parquet')}) "
            f"where hour > {literal(format_hour(HOUR - WINDOW_HOURS * ONE_HOUR))}"
        ).fetchone()
    assert row
    return {"read": row[0], "familiar": row[1]}


def run(folder: Path) -> Section:
    """Measure homes with different histories, below the folder."""
    homes = {past: folder / f"past{number}" for number, past in enumerate(PASTS)}
    taken: dict[History, list[Measured]] = {past: [] for past in PASTS}
    for past, home in homes.items():
        measure(prepare, home=home, days=past.days, returning_percent=past.returning_percent)
    links = {past: measure(count_links, home=home).result for past, home in homes.items()}
    for _ in range(ROUNDS):
        for past, home in homes.items():
            taken[past].append(measure(filter_events, home=home))
    cpu = {past: min(each.cpu_seconds for each in measured) for past, measured in taken.items()}
    wall = {past: min(each.seconds for each in measured) for past, measured in taken.items()}
    rows = [
        [
            past.name,
            f"{links[past]['read']:,}",
            f"{links[past]['familiar']:,}",
            f"{cpu[past]:.2f}",
            f"{wall[past]:.2f}",
            f"{max(each.peak_mib for each in taken[past]):,}",
        ]
        for past in PASTS
    ]
    window = timedelta(hours=WINDOW_HOURS)
    return Section(
        "Identity",
        f"`filtered_events` of {EVENTS:,} events of 50,000 devices, which reads the links of the {window.days} days "
        f"before; the best of {ROUNDS} rounds in turns. Each device was seen in four other hours of the month, "
        "a familiar one in twenty.",
        [
            Goal("judging an hour with 365 days of links behind it, over 30", cpu[YEAR] / cpu[MONTH], 1.1, "at most"),
            Goal("seconds that 30 days of links add to judging an hour", wall[MONTH] - wall[NOTHING], 1.0, "at most"),
        ],
        [
            Table(
                ("links behind it", "of them read", "of the hour's devices", "CPU seconds", "seconds", "peak MiB"), rows
            )
        ],
    )
