"""Commands killed at random instants, one after the other and two at once, and then finished: nothing is lost."""

import json
import os
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR, hours_between
from snap_pipeline_tests.chaos.commands import Command
from snap_pipeline_tests.chaos.conftest import Chaos
from snap_pipeline_tests.project import HOUR, NOW, Project, ids, key, purchase

FIRST, LAST = HOUR, HOUR + 2 * ONE_HOUR
OLD = HOUR - timedelta(days=120)
"""Older than the retention, so that `prune` has something to delete in every round."""
KILLED = ("materialize", "land", "forget", "materialize", "prune", "rotate-key", "materialize", "insights")
"""The commands that are killed, in turn; `make test` kills the first few."""
SECONDS = {"materialize": 4.0, "land": 1.0, "rotate-key": 0.5, "forget": 2.0, "prune": 1.0, "insights": 12.0}
"""The approximate duration of each, so that the kill hits any part of it."""
EVENTS = 40
FORGOTTEN = "forgotten@example.com"


class Shop:
    """A home for the commands, and the events that must have arrived at the end."""

    def __init__(self, project: Project, folder: Path) -> None:
        project.reopen(start=key(OLD))
        project.add_destination(since=key(FIRST))
        project.land(purchase("old", at=OLD), hour=OLD)
        self.project, self._folder = project, folder
        self.expected: set[str] = set()
        self.environment = {
            "SNAP_PIPELINE_HOME": str(project.settings.home),
            "SNAP_PIPELINE_START": key(OLD),
            "SNAP_PIPELINE_NOW": NOW.isoformat(),
            "SNAP_PIPELINE_THREADS": "1",
            "DAGSTER_HOME": "",
        }

    def write_file(self, number: int) -> str:
        """Write a file of new events over all hours, one of them of the person whom `forget` deletes."""
        hours = list(hours_between(FIRST, LAST))
        events = [purchase(f"{number}-{each}", at=hours[each % len(hours)]) for each in range(EVENTS)]
        self.expected |= {event["event_id"] for event in events}
        events.append(purchase(f"{number}-forgotten", at=FIRST, email=FORGOTTEN))
        path = self._folder / f"{number}.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        return str(path)

    def start(self, *arguments: str) -> Command:
        return Command(arguments, self.environment)

    def run(self, *arguments: str) -> None:
        """Run a command, which must succeed."""
        assert self.start(*arguments).wait() == 0, arguments

    def receipts(self) -> Counter[str]:
        """Count the receipts of each event."""
        lake = self.project.pipeline.lake
        files = [str(path) for path in (lake.storage.path("") / "delivery_receipts").glob("hour=*/*/*.parquet")]
        if not files:
            return Counter()
        with lake.connect() as connection:
            rows = connection.execute("select event_id from read_parquet($files)", {"files": files}).fetchall()
        return Counter(event_id for (event_id,) in rows)

    def drafts(self) -> list[Path]:
        """List the half-written files in the landing zone and the lake."""
        return [path for path in self.project.settings.home.rglob("*.tmp") if path.is_file()]


@pytest.mark.timeout(3600)
def test_commands_killed_at_any_instant_and_then_finished(project: Project, tmp_path: Path, chaos: Chaos) -> None:
    shop = Shop(project, tmp_path)
    hours = ("--from", key(FIRST), "--to", key(LAST))
    overlapping = (
        ("--from", key(FIRST), "--to", key(FIRST + ONE_HOUR)),
        ("--from", key(FIRST + ONE_HOUR), "--to", key(LAST)),
    )
    kills: Counter[str] = Counter()
    shop.run("materialize", "--from", key(OLD), "--to", key(OLD))
    project.set_fault(delay_seconds=0.05)
    for number in chaos.rounds(4):
        name = KILLED[number % len(KILLED)]
        file = shop.write_file(number)
        others = []
        if name != "land":
            shop.run("land", file)
        if name == "materialize":
            # Another run over hours of which one is this one's as well.
            this, other = chaos.random.sample(overlapping, 2)
            others, arguments = [shop.start("materialize", *other)], this
        else:
            arguments = {"land": (file,), "forget": ("--email", FORGOTTEN, "--landing")}.get(name, ())
        before = len(project.requests_seen())
        command = shop.start(name, *arguments)
        # Every other one is killed while it sends, however long it took to start.
        while name == "materialize" and kills[name] % 2 and command.is_alive():
            if len(project.requests_seen()) > before:
                break
            time.sleep(0.02)
        time.sleep(chaos.random.uniform(0.0, SECONDS[name]))
        kills[name] += command.kill()
        for each in others:
            each.wait()
        if name == "land":
            shop.run("land", file)
        assert shop.receipts().keys() <= set(ids(project.received()))

    project.clear_faults()
    shop.run("rotate-key")
    shop.run("forget", "--email", FORGOTTEN, "--landing")
    shop.run("materialize", *hours)

    received = project.received()
    forgotten = {f"{number}-forgotten" for number in chaos.rounds(4)}
    assert set(ids(received)) - forgotten == shop.expected
    assert len(ids(received)) == len(set(ids(received)))
    assert project.counts(FIRST, LAST).get("pending", 0) == project.counts(FIRST, LAST).get("in_doubt", 0) == 0
    assert unaccounted(project.entries(FIRST, LAST)) == []
    assert shop.receipts().keys() >= shop.expected
    assert set(shop.receipts().values()) == {1}

    left = shop.drafts()
    for draft in left:  # a day later
        os.utime(draft, (0, 0))
    shop.run("prune")
    assert shop.drafts() == []
    assert project.pipeline.lake.is_pruned(OLD)
    copies = sum(event["received"] > 1 for event in received)
    chaos.figures(kills=dict(kills), events=len(shop.expected), copies=copies, drafts=len(left))
