"""What is told: each thing once, what to do about it, and when it is over."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import transform
from snap_pipeline.lake.plaintext import Plaintext
from snap_pipeline.orchestration.connection_test import CONNECTION_JOB
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline_tests.orchestration.alerts.channel import EMAIL, OTHER_PIXEL, Channel, Watch
from snap_pipeline_tests.project import HOUR, PIXEL_ID, TOKEN, Project, key, purchase


def test_a_failure_is_told_once_and_so_is_its_end(watch: Watch, project: Project, channel: Channel) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    for _ in range(3):
        project.materialize()
        watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR shop, hour {key(HOUR)}: The destination was stopped: HTTP 401")
    assert "regenerate the Conversions API token" in told
    assert "\n" not in told
    project.clear_faults()
    project.materialize()
    watch.tick()
    assert channel.take() == [f"OVER shop, hour {key(HOUR)}: it goes through again."]
    watch.tick()
    project.materialize()
    watch.tick()
    assert channel.take() == []


def test_a_check_that_fails_in_a_green_run_is_told(watch: Watch, project: Project, channel: Channel) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(refuse_event_ids=["e"])
    assert project.materialize().success
    watch.tick()
    (told,) = channel.take()
    assert told.startswith("WARN delivery_receipts rejected_share")
    assert f"shop {key(HOUR)}: 1 of 1 events were rejected." in told
    assert "--retry-rejected" in told
    # The next hour is as bad, which is no news; the one after is well again.
    project.land(purchase("f", at=HOUR + ONE_HOUR), hour=HOUR + ONE_HOUR)
    project.set_fault(refuse_event_ids=["f"])
    project.materialize(HOUR + ONE_HOUR)
    watch.tick()
    assert channel.take() == []
    project.clear_faults()
    project.materialize(HOUR - ONE_HOUR)
    watch.tick()
    assert channel.take() == []
    project.land(purchase("g", at=HOUR + 2 * ONE_HOUR), hour=HOUR + 2 * ONE_HOUR)
    project.materialize(HOUR + 2 * ONE_HOUR)
    watch.tick()
    (over,) = channel.take()
    assert over == f"OVER delivery_receipts rejected_share, hour {key(HOUR + ONE_HOUR)}: it goes through again."


def test_two_destinations_are_two_things(watch: Watch, project: Project, channel: Channel) -> None:
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL)
    project.land(purchase("e"))
    project.set_fault(status=401, asset_id=PIXEL_ID)
    project.materialize()
    watch.tick()
    project.clear_faults()
    project.set_fault(status=403, asset_id=OTHER_PIXEL)
    project.land(purchase("late"), name="late")
    project.materialize()
    watch.tick()
    assert [told.split(":")[0] for told in channel.take()] == [
        f"ERROR shop, hour {key(HOUR)}",
        f"ERROR second, hour {key(HOUR)}",
        f"OVER shop, hour {key(HOUR)}",
    ]


def test_an_hour_that_goes_through_does_not_end_the_trouble_of_another(
    watch: Watch, project: Project, channel: Channel
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    project.clear_faults()
    project.materialize(HOUR + ONE_HOUR)
    watch.tick()
    assert len(channel.take()) == 1
    project.materialize()
    watch.tick()
    assert channel.take() == [f"OVER shop, hour {key(HOUR)}: it goes through again."]


def test_a_step_that_fails_says_what_to_do(
    watch: Watch, project: Project, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project.land(purchase("e"))
    with monkeypatch.context() as patch:
        patch.setattr(type(project.pipeline.landing), "listing", lambda *_: unreadable(file))
        project.materialize()
    watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR raw_events, hour {key(HOUR)}: The landing folder")
    project.materialize()
    watch.tick()
    assert channel.take() == [f"OVER raw_events, hour {key(HOUR)}: it goes through again."]


def unreadable(file: Path) -> None:
    raise LakeError(f"The landing folder {file.parent} cannot be read: Permission denied.")


def test_a_message_that_may_quote_data_is_not_repeated(
    watch: Watch, project: Project, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(f"Could not convert {EMAIL}")

    monkeypatch.setattr(transform.Transformations, "make_filtered_events", fail)
    project.land(purchase("e"))
    project.materialize()
    watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR filtered_events, hour {key(HOUR)}: ValueError. Its message may quote data")
    assert EMAIL not in told


SET_ASIDE = Plaintext(1, {"content_name": 1}, ["e"])


def test_plaintext_that_is_set_aside_is_told_though_the_run_succeeds(
    watch: Watch, project: Project, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_pipeline.orchestration.checks.hour_checks.plaintext_in", lambda *_: SET_ASIDE)
    project.add_destination()
    project.land(purchase("e"))
    assert project.materialize().success
    watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR conversion_payloads no_plaintext, hour {key(HOUR)}: {key(HOUR)}: 1 events")
    assert "plaintext stands in content_name (1): e" in told


def test_an_hour_that_a_check_names_is_not_over_with_the_next_hour(
    watch: Watch, project: Project, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    hours = [HOUR, HOUR + ONE_HOUR, HOUR + 2 * ONE_HOUR]
    for n, hour in enumerate(hours):
        project.land(purchase(f"e{n}", at=hour), hour=hour)
    with monkeypatch.context() as patch:
        patch.setattr(
            "snap_pipeline.orchestration.checks.hour_checks.plaintext_in",
            lambda _, path: SET_ASIDE if key(HOUR) in str(path) else None,
        )
        project.materialize(hours[0], hours[1])
        project.materialize(hours[2])
    watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR conversion_payloads no_plaintext, hour {key(HOUR)}: {key(HOUR)}: 1 events")
    project.materialize(HOUR)
    watch.tick()
    assert channel.take() == [f"OVER conversion_payloads no_plaintext, hour {key(HOUR)}: it goes through again."]


def test_a_run_whose_process_died_is_told(watch: Watch, project: Project, channel: Channel) -> None:
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    run = project.instance.create_run_for_job(job, tags={"dagster/partition": key(HOUR)})
    project.instance.report_run_failed(run)
    watch.tick()
    (told,) = channel.take()
    assert told.startswith(f"ERROR hourly, hour {key(HOUR)}: the run's process died")
    project.materialize()
    watch.tick()
    assert channel.take() == [f"OVER hourly, hour {key(HOUR)}: it goes through again."]


def test_a_job_without_hours_is_told_as_well(watch: Watch, project: Project, channel: Channel) -> None:
    project.add_destination(token=AccessToken("of-somebody-else"))
    job = build_definitions(project.settings).resolve_job_def(CONNECTION_JOB)
    job.execute_in_process(instance=project.instance, raise_on_error=False)
    watch.tick()
    (told,) = channel.take()
    assert told.startswith("ERROR send_test_events: shop: HTTP 401")
    project.pipeline.destinations.rotate_token("shop", AccessToken(TOKEN))
    job.execute_in_process(instance=project.instance)
    watch.tick()
    assert channel.take() == ["OVER send_test_events: it goes through again."]


def test_what_somebody_only_tries_is_no_alert(watch: Watch, project: Project, channel: Channel) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(refuse_all=True)
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    result = job.execute_in_process(
        instance=project.instance,
        partition_key=key(HOUR),
        run_config={"ops": {"dispatched_batches": {"config": {"validate_only": True}}}},
        raise_on_error=False,
    )
    assert not result.success
    watch.tick()
    assert channel.take() == []


def test_what_failed_before_it_was_switched_on_is_history(project: Project, channel: Channel) -> None:
    project.reopen(alert_webhook=SecretStr(channel.address))
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    watch = Watch(project)
    watch.tick()
    assert channel.take() == []
