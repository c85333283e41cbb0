"""`status` names the hours that would turn out differently today, and what delivery holds back because of it."""

from datetime import datetime
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.storage import partition
from snap_pipeline_tests.project import HOUR, NOW, Project, key, purchase

EARLIER = HOUR - ONE_HOUR
OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"
OUTDATED = "made with other code, mappings or settings than today's"


@pytest.fixture
def shops(project: Project) -> Project:
    """Two hours, one of them with another workspace, that were made while the destinations were paused."""
    configure(project, "")
    project.add_destination("shop", workspace="shop", live=False)
    project.add_destination("blog", workspace="blog", live=False, pixel_id=OTHER_PIXEL)
    for hour in (EARLIER, HOUR):
        project.land(purchase(f"shop-{key(hour)}", at=hour), workspace="shop", hour=hour)
    project.land(purchase("blog"), workspace="blog")
    assert project.materialize(EARLIER, HOUR).success
    return project


def configure(project: Project, shop: str) -> None:
    (project.settings.home / "workspaces.toml").write_text(f"[blog]\n[shop]\n{shop}\n")
    project.reopen()


def prune(project: Project, hour: datetime) -> None:
    lake = project.pipeline.lake
    lake.storage.put(lake.pruned_note(hour), '{"shop": 1}')
    for table in ("raw_events", "filtered_events"):
        lake.storage.path(partition(table, hour)).unlink()
    project.reopen()


def test_hours_of_another_setting_are_named_with_the_command_that_makes_them_again(run: Any, shops: Project) -> None:
    assert run("status").stderr == ""
    configure(shops, 'default_currency = "EUR"')
    told = run("status")
    assert f"Warning: 2 hours {OUTDATED}: {key(EARLIER)}, {key(HOUR)} (workspaces: shop)." in told.stderr
    make_again = f"snap-pipeline materialize --from {key(EARLIER)} --to {key(HOUR)}"
    assert make_again in told.stderr
    assert "held back" not in told.stderr
    run(*make_again.split()[1:])
    assert run("status").stderr == ""


def test_pending_events_that_wait_for_another_rule_of_consent_are_told(run: Any, shops: Project) -> None:
    configure(shops, 'unknown_consent = "exclude"')
    told = run("status", "--from", key(HOUR), "--to", key(HOUR))
    assert f"Warning: shop: 1 event of {key(HOUR)} is held back" in told.stderr
    assert f"`snap-pipeline materialize --from {key(HOUR)} --to {key(HOUR)}`" in told.stderr
    assert "blog:" not in told.stderr
    told = run("status")
    assert f"2 events of 2 hours, {key(EARLIER)} to {key(HOUR)}, are held back" in told.stderr


def test_a_pruned_hour_is_not_asked_for_and_what_it_holds_is_told(run: Any, shops: Project) -> None:
    prune(shops, EARLIER)
    configure(shops, 'unknown_consent = "exclude"')
    shops.pipeline.destinations.resume("shop")
    pending = shops.pipeline.backlog.find(HOUR, NOW)
    assert (pending[EARLIER].from_landing, pending[HOUR].from_landing) == (False, True)
    result = shops.materialize(EARLIER, HOUR)  # delivery looks at it, and knows from then on that it stays
    assert not result.success
    assert shops.received() == []
    shops.reopen()
    assert shops.pipeline.backlog.find(HOUR, NOW) == {}
    told = run("status").stderr
    assert f"Warning: shop: 1 event of {key(EARLIER)} is held back" in told
    assert "Events of pruned hours are never sent, since these hours cannot be made again." in told
    assert OUTDATED not in told


def test_preview_says_that_the_events_it_shows_are_held_back(run: Any, shops: Project) -> None:
    configure(shops, 'unknown_consent = "exclude"')
    shown = run("preview", "--hour", key(HOUR), "--destination", "shop")
    assert shown.exit_code == 0
    assert "held back" in shown.stderr
