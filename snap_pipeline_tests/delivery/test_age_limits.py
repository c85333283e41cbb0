"""Age limits as settings of the destination: dispatch, backlog, accounting and health apply the same ones."""

import json
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.hour_status import FILE
from snap_pipeline.destinations.health import Badge, health
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline_tests.delivery.conftest import Delivery
from snap_pipeline_tests.net import Net
from snap_pipeline_tests.project import HOUR, NOW, Project, ids, key, purchase

FOUR_DAYS_AGO = HOUR - timedelta(days=4)
OFFLINE = {"origin": "csv"}


def badge(project: Project) -> Badge:
    shop = project.pipeline.destinations.get("shop")
    return health(shop, project.pipeline.destination_backlog(shop)).badge


@pytest.mark.parametrize(
    ("limits", "changes"),
    [
        ({"web_age_days": 3}, {}),
        ({"offline_age_days": 3}, OFFLINE),
        ({"offline_age_days": 3, "api_version": "v2"}, {}),
    ],
    ids=["web", "offline", "v2"],
)
def test_an_hour_of_events_that_are_older_than_the_destination_takes_is_complete(
    project: Project, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], changes: dict[str, Any]
) -> None:
    project.add_destination(**limits)
    project.land(purchase("old", at=FOUR_DAYS_AGO, **changes), hour=FOUR_DAYS_AGO)
    project.land(purchase("new", **changes))
    net = Net(project, monkeypatch)
    assert len(net.tick()) == 2
    assert ids(project.received()) == ["new"]
    assert project.counts(FOUR_DAYS_AGO) == {"raw": 1, "payloads": 1, "undeliverable": 1, "undeliverable: expired": 1}
    assert project.pipeline.backlog.undelivered_hours(HOUR, NOW) == {}
    assert badge(project) is Badge.LIVE
    net.later(hours=2)
    assert net.tick() == []


def test_a_limit_that_is_raised_delivers_what_is_no_longer_too_old_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination(web_age_days=3)
    project.land(purchase("old", at=FOUR_DAYS_AGO), hour=FOUR_DAYS_AGO)
    net = Net(project, monkeypatch)
    net.tick()
    project.pipeline.destinations.set("shop", web_age_days=7)
    assert badge(project) is Badge.BEHIND
    assert net.tick() == [(key(FOUR_DAYS_AGO), False)]
    assert ids(project.received()) == ["old"]
    assert badge(project) is Badge.LIVE


def test_the_hours_that_expire_soonest_under_a_destinations_limits_go_first(project: Project) -> None:
    project.add_destination(web_age_days=3, offline_age_days=20)
    project.add_destination("paused", pixel_id="99999999-2222-4333-8444-555555555555", live=False)
    assert set(project.pipeline.backlog.age_limits()) == {3, 20}


def test_a_lower_limit_does_not_hide_a_copy_that_was_sent_under_a_higher_one(delivery: Delivery) -> None:
    shop = delivery.project.add_destination(offline_age_days=2)
    delivery.make_payloads(3, HOUR - timedelta(days=20), offline=True, at=HOUR)
    assert delivery.dispatch(shop, HOUR - timedelta(days=20)).count("delivered") == 3
    delivery.make_payloads(3, offline=True)
    assert delivery.dispatch(shop).count("duplicate") == 3


def test_snaps_own_limits_are_noted_as_earlier_versions_noted_them(delivery: Delivery) -> None:
    shop = delivery.project.add_destination()
    delivery.make_payloads(1)
    delivery.dispatch(shop)
    (note,) = (delivery.lake.storage.path("") / "delivery_receipts").glob(f"hour=*/destination=*/{FILE}")
    assert json.loads(note.read_text())["made_from"][2:] == ["v3", True, 7, 37]


def test_a_limit_in_a_runs_configuration_is_refused(project: Project) -> None:
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    with pytest.raises(dg.DagsterInvalidConfigError, match='unexpected config entry "web_age_days"'):
        job.execute_in_process(
            instance=project.instance,
            partition_key=key(HOUR),
            run_config={"resources": {"snap": {"config": {"web_age_days": 3}}}},
        )
