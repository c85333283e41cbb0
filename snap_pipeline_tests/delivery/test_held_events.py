"""Events that other rules of consent let through are not sent until their hour is made again."""

import json
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.transform import Transformations
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline.orchestration.runs import DELIVERY_ASSETS, range_tags
from snap_pipeline.pipeline import Pipeline
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.net import Net
from snap_pipeline_tests.project import HOUR, NOW, PIXEL_ID, Project, ids, key, purchase

OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"
REMEDY = f"snap-pipeline materialize --from {key(HOUR)} --to {key(HOUR)}"


@pytest.fixture(scope="module")
def made_hour(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Project:
    """An hour of two workspaces, made while their destinations were paused."""
    project = make_project(tmp_path_factory.mktemp("hour") / "home", sandbox_url)
    configure(project)
    project.add_destination("shop", workspace="shop", live=False)
    project.add_destination("blog", workspace="blog", live=False, pixel_id=OTHER_PIXEL)
    land(project)
    assert project.materialize().success
    return project


@pytest.fixture
def pending(project: Project, made_hour: Project) -> Project:
    """A copy of that hour."""
    return project.copy_home(made_hour)


@pytest.fixture
def net(pending: Project, monkeypatch: pytest.MonkeyPatch) -> Net:
    return Net(pending, monkeypatch)


def configure(project: Project, **shop: Any) -> None:
    settings = "".join(f"{name} = {json.dumps(value)}\n" for name, value in shop.items())
    (project.settings.home / "workspaces.toml").write_text(f"[blog]\n[shop]\n{settings}")
    project.reopen()


def land(project: Project, hour: datetime = HOUR) -> None:
    said = [purchase("yes", at=hour, consent={"ads": True}), purchase("no", at=hour, consent={"sharing": False})]
    project.land(*said, purchase("silent", at=hour), workspace="shop", hour=hour)
    project.land(purchase("reader", at=hour), workspace="blog", hour=hour)


def resume(project: Project) -> None:
    for name in ("shop", "blog"):
        project.pipeline.destinations.resume(name)


def deliver(project: Project, **config: bool) -> dg.ExecuteInProcessResult:
    """A run of delivery alone."""
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    return job.execute_in_process(
        instance=project.instance,
        tags=range_tags(HOUR, HOUR),
        asset_selection=DELIVERY_ASSETS,
        run_config={"ops": {"dispatched_batches": {"config": config}}},
        raise_on_error=False,
    )


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (event,) = result.filter_events(lambda each: each.is_step_failure)
    assert event.step_failure_data.user_failure_data
    return str(event.step_failure_data.user_failure_data.description)


def shop_counts(project: Project) -> dict[str, int]:
    """Events by state at the destination whose rules changed."""
    found = [entry for entry in project.entries() if entry.destination == "shop"]
    return {entry.entry: entry.events for entry in found if entry.entry != "expiring"}


def change_setting(project: Project) -> None:
    configure(project, unknown_consent="exclude")


def change_mapping(project: Project) -> None:
    project.settings.mappings.mkdir()
    (project.settings.mappings / "consent_purposes.csv").write_text("purpose,meaning\nsharing,advertising\n")
    project.reopen()


def test_an_hour_is_not_sent_after_its_rule_of_consent_changed_and_other_workspaces_are(pending: Project) -> None:
    change_setting(pending)
    resume(pending)
    result = deliver(pending)
    assert not result.success
    assert f"3 events of {key(HOUR)} are held back" in failure_of(result)
    assert "unknown_consent" in failure_of(result)
    assert f"`{REMEDY}`" in failure_of(result)
    assert (ids(pending.received()), ids(pending.received(OTHER_PIXEL))) == ([], ["reader"])
    assert shop_counts(pending) == {"pending": 3}
    # A run from the landing files makes them under the new rule, and sends in the same run.
    assert pending.materialize().success
    assert ids(pending.received()) == ["yes"]
    assert pending.counts()["excluded: consent_unknown"] == 2


def test_a_purpose_that_was_added_holds_back_all_workspaces(pending: Project) -> None:
    change_mapping(pending)
    resume(pending)
    assert not deliver(pending).success
    assert pending.requests_seen() == []
    assert pending.materialize().success
    assert ids(pending.received()) == ["silent", "yes"]


def test_a_setting_that_decides_no_consent_holds_nothing_back(pending: Project) -> None:
    configure(pending, default_currency="EUR", unmapped_events="exclude")
    resume(pending)
    assert deliver(pending).success
    assert ids(pending.received()) == ["no", "silent", "yes"]


def test_held_events_are_not_validated_at_snap_either(pending: Project) -> None:
    change_setting(pending)
    resume(pending)
    assert REMEDY in failure_of(deliver(pending, validate_only=True))
    (request,) = pending.requests_seen("/events/validate")
    assert OTHER_PIXEL in request["path"]


def test_what_is_in_doubt_is_held_back_as_well(pending: Project) -> None:
    pending.set_fault(drop_after_storing=True, count=1_000)
    resume(pending)
    assert not deliver(pending).success
    pending.clear_faults()
    before = len(pending.requests_seen())
    change_setting(pending)
    assert "held back" in failure_of(deliver(pending))
    assert len([each for each in pending.requests_seen()[before:] if PIXEL_ID in each["path"]]) == 0
    assert shop_counts(pending) == {"in_doubt": 3}


def test_the_sensor_makes_such_an_hour_again_by_itself(pending: Project, net: Net) -> None:
    change_setting(pending)
    resume(pending)
    assert net.tick() == [(key(HOUR), True)]
    assert ids(pending.received()) == ["yes"]
    assert net.tick() == []


def test_the_sensor_asks_for_other_hours_as_before(pending: Project, net: Net) -> None:
    configure(pending, default_currency="EUR")
    resume(pending)
    assert net.tick() == [(key(HOUR), False)]
    assert net.tick() == []


def test_an_hour_that_was_delivered_is_not_made_again_because_a_rule_changed(pending: Project, net: Net) -> None:
    resume(pending)
    net.tick()
    sent = len(pending.requests_seen())
    change_setting(pending)
    assert net.tick() == []
    assert pending.pipeline.outdated_hours.find([HOUR]) == {HOUR: ["shop"]}
    assert deliver(pending).success
    assert len(pending.requests_seen()) == sent


def test_a_rule_that_changes_again_makes_the_request_a_new_one(pending: Project) -> None:
    resume(pending)

    def fingerprint() -> str:
        return pending.pipeline.backlog.find(HOUR, NOW)[HOUR].fingerprint

    change_setting(pending)
    excluded, again = fingerprint(), fingerprint()
    configure(pending, unknown_consent="limited")
    assert excluded == again != fingerprint()


def test_an_hour_too_old_to_have_anything_left_is_looked_at_and_not_made_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = HOUR - timedelta(days=60)
    project.reopen(start=key(old), fixed_now=old + 1.5 * ONE_HOUR)
    configure(project)
    project.add_destination("shop", workspace="shop", live=False, since=key(old))
    land(project, old)
    assert project.materialize(old).success
    project.reopen(fixed_now=NOW)
    configure(project, unknown_consent="exclude")
    project.pipeline.destinations.resume("shop")
    net = Net(project, monkeypatch)
    assert net.tick() == [(key(old), False)]
    assert net.tick() == []


def test_what_was_rejected_is_not_sent_again_under_another_rule(pending: Project) -> None:
    pending.set_fault(refuse_event_ids=["silent"])
    resume(pending)
    deliver(pending)
    assert shop_counts(pending) == {"delivered": 2, "rejected": 1}
    pending.clear_faults()
    change_setting(pending)
    assert deliver(pending).success
    assert "held back" in failure_of(deliver(pending, retry_rejected=True))
    assert shop_counts(pending) == {"delivered": 2, "rejected": 1}


def test_payloads_of_rows_that_a_process_with_older_settings_filtered_meanwhile_are_made_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project)
    project.add_destination("shop", workspace="shop")
    land(project)
    earlier = Pipeline(project.settings)
    assert project.materialize().success
    configure(project, unknown_consent="exclude")
    other_runs = [earlier]
    recipe_notes = Transformations._recipe_notes

    def meanwhile(transformations: Transformations, connection: Any, table: str, *rest: Any) -> dict[str, Any]:
        notes = recipe_notes(transformations, connection, table, *rest)
        if table == "conversion_payloads" and other_runs:
            other_runs.pop().transformations.make_filtered_events(HOUR)
        return notes

    transformations = project.pipeline.transformations
    transformations.make_filtered_events(HOUR)
    monkeypatch.setattr(Transformations, "_recipe_notes", meanwhile)
    transformations.make_conversion_payloads(HOUR)
    assert not other_runs
    consents = project.pipeline.summaries.of([HOUR])[HOUR].consent_recipes
    assert not project.pipeline.mappings.recipes.is_consent_current("shop", consents)


def test_a_pruned_hour_that_is_held_is_counted_as_expired_once_it_is_too_old(net: Net, pending: Project) -> None:
    resume(pending)
    pending.set_fault(status=401, count=1000)
    net.tick()
    pending.clear_faults()
    lake = pending.pipeline.lake
    lake.storage.put(lake.pruned_note(HOUR), '{"shop": 3, "blog": 1}')
    for table in (Table.RAW_EVENTS, Table.FILTERED_EVENTS):
        lake.storage.delete([partition(table, HOUR)])
    configure(pending, unknown_consent="exclude")
    pending.reopen(fixed_now=NOW + timedelta(days=40))
    net.later(hours=2)
    net.tick()
    shop = pending.pipeline.destinations.get("shop")
    assert pending.pipeline.destination_backlog(shop).pending == 0
    assert pending.counts(HOUR)["undeliverable"] >= 3
    assert net.tick() == []
