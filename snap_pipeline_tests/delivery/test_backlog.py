"""The backlog is delivered without a user's help: the sensor ticks and its runs are executed."""

from datetime import datetime, timedelta

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.backlog import by_urgency
from snap_pipeline.destinations import run_results
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.transform import Transformations
from snap_pipeline_tests.net import Net
from snap_pipeline_tests.project import HOUR, NOW, PIXEL_ID, TOKEN, Project, ids, key, purchase

OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
def net(project: Project, monkeypatch: pytest.MonkeyPatch) -> Net:
    return Net(project, monkeypatch)


def land_hours(project: Project, count: int, *, last: datetime = HOUR) -> list[datetime]:
    """Land a purchase in each of so many hours."""
    hours = [last - n * ONE_HOUR for n in reversed(range(count))]
    for hour in hours:
        project.land(purchase(f"e-{key(hour)}", at=hour), hour=hour)
    return hours


def test_after_twelve_hours_without_a_daemon_everything_is_delivered(net: Net, project: Project) -> None:
    project.add_destination()
    hours = land_hours(project, 12)
    assert net.tick() == [(key(HOUR), True), (f"{key(hours[0])}...{key(hours[-2])}", True)]
    assert ids(project.received()) == ids({"event_id": f"e-{key(hour)}"} for hour in hours)
    assert net.tick() == []


def test_after_a_night_of_401_a_new_token_delivers_everything_at_once(net: Net, project: Project) -> None:
    project.add_destination()
    hours = land_hours(project, 9)
    project.set_fault(status=401, count=1_000)
    net.tick()
    assert net.tick() == []
    assert project.counts(hours[0], HOUR)["pending"] == 9
    project.clear_faults()
    project.pipeline.destinations.rotate_token("shop", AccessToken(TOKEN))
    # The payloads stand, so delivery alone is asked for.
    assert net.tick() == [(key(HOUR), False), (f"{key(hours[0])}...{key(hours[-2])}", False)]
    assert project.counts(hours[0], HOUR)["delivered"] == 9


@pytest.mark.parametrize("remedy", ["resume", "set"])
def test_resume_and_set_lift_the_back_off(net: Net, project: Project, remedy: str) -> None:
    project.add_destination()
    land_hours(project, 1)
    project.set_fault(status=403, count=1)
    net.tick()
    assert net.tick() == []
    destinations = project.pipeline.destinations
    if remedy == "resume":
        destinations.resume("shop")
    else:
        destinations.set("shop", requests_per_minute=59_000)
    assert net.tick() == [(key(HOUR), False)]
    assert project.counts()["delivered"] == 1


def test_a_stopped_destination_is_asked_for_ever_more_rarely(
    net: Net, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    land_hours(project, 1)
    project.set_fault(status=401, count=1_000)
    start, asked_at = net.now, []
    clock = type("Clock", (datetime,), {"now": classmethod(lambda _, __: net.now)})
    monkeypatch.setattr(run_results, "datetime", clock)
    for minute in range(0, 160, 5):
        net.now = start + timedelta(minutes=minute)
        asked_at += [minute] * bool(net.tick())
    assert asked_at == [0, 5, 15, 35, 75, 135]


def test_a_paused_destination_is_not_asked_for_until_it_is_resumed(net: Net, project: Project) -> None:
    project.add_destination(live=False)
    hours = land_hours(project, 2)
    net.tick()
    assert net.tick() == []
    project.pipeline.destinations.resume("shop")
    assert [requested for requested, _ in net.tick()] == [key(HOUR), key(hours[0])]
    assert len(project.received()) == 2


def test_a_destination_that_is_added_later_gets_what_it_is_owed_and_no_more(net: Net, project: Project) -> None:
    project.add_destination()
    hours = land_hours(project, 4)
    net.tick()
    project.add_destination("second", pixel_id=OTHER_PIXEL, since=key(hours[2]))
    net.tick()
    assert ids(project.received(OTHER_PIXEL)) == [f"e-{key(hour)}" for hour in hours[2:]]
    assert len(project.received(PIXEL_ID)) == 4
    assert net.tick() == []


def test_one_destination_that_waits_does_not_hold_up_the_other(net: Net, project: Project) -> None:
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL)
    land_hours(project, 1)
    project.set_fault(status=401, count=1_000, asset_id=PIXEL_ID)
    net.tick()
    land_hours(project, 1, last=HOUR + ONE_HOUR)
    net.tick()
    assert len(project.received(OTHER_PIXEL)) == 2
    assert net.tick() == []


def test_what_is_in_doubt_is_asked_for_until_the_deduplication_window_closes(net: Net, project: Project) -> None:
    project.add_destination()
    land_hours(project, 1)
    project.set_fault(drop_after_storing=True, count=1_000)
    net.tick()
    assert project.counts()["in_doubt"] == 1
    net.later(hours=1)
    assert net.tick() == [(key(HOUR), False)]
    net.later(hours=48)
    assert net.tick() == []


def test_an_hour_whose_payloads_were_made_again_is_looked_at_again(net: Net, project: Project) -> None:
    project.add_destination()
    land_hours(project, 1)
    net.tick()
    payloads = project.pipeline.lake.storage.path(partition(Table.CONVERSION_PAYLOADS, HOUR))
    payloads.write_bytes(payloads.read_bytes())
    assert net.tick() == [(key(HOUR), False)]
    assert len(project.requests_seen()) == 1


@pytest.mark.parametrize("read_before", [False, True])
def test_an_hour_whose_files_were_read_and_whose_payloads_failed_is_asked_for_again(
    net: Net, project: Project, monkeypatch: pytest.MonkeyPatch, read_before: bool
) -> None:
    project.add_destination()
    land_hours(project, 1)
    if read_before:
        net.tick()
        project.land(purchase("late"), name="late")
    with monkeypatch.context() as patch:
        patch.setattr(Transformations, "make_filtered_events", lambda *_: 1 / 0)
        net.tick()
    net.later(minutes=5)
    assert net.tick() == [(key(HOUR), True)]
    assert len(project.received()) == 1 + read_before
    assert net.tick() == []


def test_an_asset_backfill_that_is_not_yet_submitted_counts_as_in_flight(net: Net, project: Project) -> None:
    land_hours(project, 2)
    graph = build_definitions(project.settings).get_repository_def().asset_graph
    project.instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            backfill_id="b",
            asset_graph=graph,
            partition_names=[key(HOUR)],
            asset_selection=[dg.AssetKey("raw_events"), dg.AssetKey("filtered_events")],
            backfill_timestamp=NOW.timestamp(),
            tags={},
            dynamic_partitions_store=project.instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )
    assert net.tick() == [(key(HOUR - ONE_HOUR), True)]


def test_what_expires_soonest_goes_first_and_what_has_expired_last() -> None:
    def ago(**time: float) -> tuple[datetime, datetime]:
        return NOW - timedelta(**time), NOW - timedelta(**time)

    expired, fresh, soon, offline_soon, offline = (
        ago(days=50),
        ago(days=1),
        ago(days=6),
        ago(days=36, hours=12),
        ago(days=20),
    )
    assert by_urgency([expired, fresh, offline, soon, offline_soon], NOW, {7, 37}) == [
        offline_soon,
        soon,
        fresh,
        offline,
        expired,
    ]
