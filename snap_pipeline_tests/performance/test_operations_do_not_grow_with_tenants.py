"""A regression guard without a clock: destinations whose workspace has nothing in an hour cost it nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from snap_pipeline.destinations.store import Destination, DestinationStore
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.performance.operations import Operations, counted
from snap_pipeline_tests.project import HOUR, Project

TENANTS = (1, 100, 1_000)
HOURS = [HOUR - number * ONE_HOUR for number in range(4)]


def with_tenants(shop: Destination, count: int) -> list[Destination]:
    """Add so many destinations of a workspace each, of which only the first has events."""
    others = (
        replace(shop, id=f"{number:08x}", name=f"tenant-{number}", workspace=f"w{number}") for number in range(1, count)
    )
    return [shop, *others]


def test_an_hour_costs_the_same_with_a_thousand_idle_tenants(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery, shop, pipeline = Delivery(project), project.add_destination(), project.pipeline
    for hour in HOURS[1:]:
        delivery.make_payloads(5, hour, prefix=f"{hour:%H}-")
        delivery.dispatch(shop, hour)
    delivery.make_payloads(5, HOUR)
    pipeline.summaries.of(HOURS)
    looked: dict[int, Operations] = {}
    sent: dict[int, Operations] = {}
    for tenants in TENANTS:
        destinations = with_tenants(shop, tenants)
        monkeypatch.setattr(DestinationStore, "list", lambda _, destinations=destinations: destinations)
        with counted(monkeypatch) as looked[tenants]:
            assert set(pipeline.backlog.undelivered_hours(HOUR, datetime.now(UTC))) == {HOUR}
            entries = pipeline.accounting.entries(HOURS, destinations)
        assert sum(entry.events for entry in entries if entry.entry == "delivered") == 5 * len(HOURS[1:])
        dispatcher = pipeline.dispatcher()
        with counted(monkeypatch) as sent[tenants]:
            for hour in HOURS:
                assert all(dispatcher.dispatch(each, hour).is_complete for each in destinations[1:])
    assert looked[1_000] == looked[100]
    # Once an hour: which destinations have receipts there.
    assert replace(looked[100], opened=looked[1].opened) == looked[1]
    assert looked[100].opened - looked[1].opened <= len(HOURS)
    assert {(each.queries, each.files, each.statements) for each in sent.values()} == {(0, 0, 0)}
