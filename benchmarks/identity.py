"""What does it cost to know people? An hour is judged with no links, with 30 days and with a year of them behind it."""

import os
from datetime import timedelta
from pathlib import Path

from benchmarks.homes import HOUR, land, open_home
from benchmarks.processes import Measured, measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake.lake import literal
from snap_pipeline.lake.raw import make_raw_events

EVENTS = 100_000
LINKS_AN_HOUR = 14_000
"""Ten million in 30 days."""
WINDOW_HOURS = 30 * 24
DAYS = (0, 30, 365)
ROUNDS = 3


def prepare(home: str, days: int) -> None:
    """An hour of raw events with its links, and links of so many days before it."""
    pipeline = open_home(home)
    land(pipeline, EVENTS)
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_identity_links(HOUR)
    query = (Path(__file__).parent / "older_links.sql").read_text()
    newest = pipeline.lake.path("identity_links", HOUR)
    with pipeline.lake.connect_with_macros() as connection:
        connection.execute(
            f"create temp table template as from read_parquet({literal(newest)}, hive_partitioning = false);"
            f"set variable share = (select {LINKS_AN_HOUR} / count(*) from template)"
        )
        for number in range(1, days * 24 + 1):
            hour = HOUR - number * ONE_HOUR
            path = pipeline.lake.path("identity_links", hour)
            if number > WINDOW_HOURS:  # nobody reads these, so that they may well be the same
                path.parent.mkdir()
                os.link(pipeline.lake.path("identity_links", hour + WINDOW_HOURS * ONE_HOUR), path)
                continue
            connection.execute(f"set variable older_hour = {literal(format_hour(hour))}")
            connection.execute(f"set variable older_by = interval {number} hour")
            pipeline.lake.replace(connection, path, query)


def judge(home: str) -> dict[str, int]:
    """Makes the filtered events of the hour, which is where links are read."""
    pipeline = open_home(home)
    return {"kept": pipeline.transformations.make_filtered_events(HOUR).kept}


def ask(folder: Path) -> Section:
    """Homes of their own below the folder."""
    homes = {days: folder / f"links{days}" for days in DAYS}
    taken: dict[int, list[Measured]] = {days: [] for days in DAYS}
    for days, home in homes.items():
        measure(prepare, home=home, days=days)
    for _ in range(ROUNDS):
        for days, home in homes.items():
            taken[days].append(measure(judge, home=home))
    cpu = {days: min(each.cpu_seconds for each in measured) for days, measured in taken.items()}
    wall = {days: min(each.seconds for each in measured) for days, measured in taken.items()}
    rows = [
        [
            f"{days} days",
            f"{min(days * 24, WINDOW_HOURS) * LINKS_AN_HOUR:,}",
            f"{cpu[days]:.2f}",
            f"{wall[days]:.2f}",
            f"{max(each.peak_mib for each in taken[days]):,}",
        ]
        for days in DAYS
    ]
    window = timedelta(hours=WINDOW_HOURS)
    return Section(
        "Identity",
        f"`filtered_events` of {EVENTS:,} events, which reads the links of the {window.days} days before; the best of "
        f"{ROUNDS} rounds in turns.",
        [
            Goal("judging an hour with 365 days of links behind it, over 30", cpu[365] / cpu[30], 1.1, "at most"),
            Goal("seconds that 30 days of links add to judging an hour", wall[30] - wall[0], 1.0, "at most"),
        ],
        [Table(("links behind it", "of them read", "CPU seconds", "seconds", "peak MiB"), rows)],
    )
