"""Alerts: one line when an incident begins, with the remedy, and one when it ends."""

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
from snap_pipeline_tests.orchestration.alerts.webhook_server import EMAIL, OTHER_PIXEL, AlertSensor, WebhookServer
from snap_pipeline_tests.project import HOUR, PIXEL_ID, TOKEN, Project, key, purchase


def test_a_failure_is_told_once_and_so_is_its_end(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    for _ in range(3):
        project.materialize()
        alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR shop, hour {key(HOUR)}: The destination was stopped: HTTP 401")
    assert "regenerate the Conversions API token" in line
    assert "\n" not in line
    project.clear_faults()
    project.materialize()
    alert_sensor.tick()
    assert webhook_server.take() == [f"OVER shop, hour {key(HOUR)}: it goes through again."]
    alert_sensor.tick()
    project.materialize()
    alert_sensor.tick()
    assert webhook_server.take() == []


def test_an_alert_links_to_its_run_where_the_web_server_is_known(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.reopen(web_url="https://dagster.example.com")
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    run_id = project.materialize().run_id
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.endswith(f" https://dagster.example.com/runs/{run_id}")


def test_a_check_that_fails_in_a_green_run_is_told(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(refuse_event_ids=["e"])
    assert project.materialize().success
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith("WARN delivery_receipts rejected_share")
    assert f"shop {key(HOUR)}: 1 of 1 event was rejected." in line
    assert "--retry-rejected" in line
    # The next hour is as bad, which is no news; the one after is well again.
    project.land(purchase("f", at=HOUR + ONE_HOUR), hour=HOUR + ONE_HOUR)
    project.set_fault(refuse_event_ids=["f"])
    project.materialize(HOUR + ONE_HOUR)
    alert_sensor.tick()
    assert webhook_server.take() == []
    project.clear_faults()
    project.materialize(HOUR - ONE_HOUR)
    alert_sensor.tick()
    assert webhook_server.take() == []
    project.land(purchase("g", at=HOUR + 2 * ONE_HOUR), hour=HOUR + 2 * ONE_HOUR)
    project.materialize(HOUR + 2 * ONE_HOUR)
    alert_sensor.tick()
    (over,) = webhook_server.take()
    assert over == f"OVER delivery_receipts rejected_share, hour {key(HOUR + ONE_HOUR)}: it goes through again."


def test_a_check_that_fails_in_several_hours_is_one_incident_until_each_is_over(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, hour in enumerate((HOUR, HOUR + ONE_HOUR)):
        project.land(purchase(f"e{n}", at=hour), hour=hour)
    with monkeypatch.context() as patch:
        patch.setattr("snap_pipeline.orchestration.checks.hour_checks.plaintext_in", lambda *_: SET_ASIDE)
        project.materialize(HOUR, HOUR + ONE_HOUR)
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(
        f"ERROR conversion_payloads no_plaintext, hour {key(HOUR + ONE_HOUR)}: 2 hours failed. The first: {key(HOUR)}: "
    )
    project.materialize(HOUR)
    alert_sensor.tick()
    assert webhook_server.take() == []
    project.materialize(HOUR + ONE_HOUR)
    alert_sensor.tick()
    assert [line.split(",")[0] for line in webhook_server.take()] == ["OVER conversion_payloads no_plaintext"]


def test_two_destinations_are_two_things(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL)
    project.land(purchase("e"))
    project.set_fault(status=401, asset_id=PIXEL_ID)
    project.materialize()
    alert_sensor.tick()
    project.clear_faults()
    project.set_fault(status=403, asset_id=OTHER_PIXEL)
    project.land(purchase("late"), name="late")
    project.materialize()
    alert_sensor.tick()
    assert [line.split(":")[0] for line in webhook_server.take()] == [
        f"ERROR shop, hour {key(HOUR)}",
        f"ERROR second, hour {key(HOUR)}",
        f"OVER shop, hour {key(HOUR)}",
    ]


def test_an_hour_that_goes_through_does_not_end_the_trouble_of_another(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    project.clear_faults()
    project.materialize(HOUR + ONE_HOUR)
    alert_sensor.tick()
    assert len(webhook_server.take()) == 1
    project.materialize()
    alert_sensor.tick()
    assert webhook_server.take() == [f"OVER shop, hour {key(HOUR)}: it goes through again."]


def test_a_step_that_fails_says_what_to_do(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project.land(purchase("e"))
    with monkeypatch.context() as patch:
        patch.setattr(type(project.pipeline.landing), "listing", lambda *_: unreadable(file))
        project.materialize()
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR raw_events, hour {key(HOUR)}: The landing folder")
    project.materialize()
    alert_sensor.tick()
    assert webhook_server.take() == [f"OVER raw_events, hour {key(HOUR)}: it goes through again."]


def unreadable(file: Path) -> None:
    raise LakeError(f"The landing folder {file.parent} cannot be read: Permission denied.")


def test_a_message_that_may_quote_data_is_not_repeated(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError(f"Could not convert {EMAIL}")

    monkeypatch.setattr(transform.Transformations, "make_filtered_events", fail)
    project.land(purchase("e"))
    project.materialize()
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR filtered_events, hour {key(HOUR)}: ValueError. Its message may quote data")
    assert EMAIL not in line


SET_ASIDE = Plaintext(1, {"content_name": 1}, ["e"])


def test_plaintext_that_is_set_aside_is_told_though_the_run_succeeds(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_pipeline.orchestration.checks.hour_checks.plaintext_in", lambda *_: SET_ASIDE)
    project.add_destination()
    project.land(purchase("e"))
    assert project.materialize().success
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR conversion_payloads no_plaintext, hour {key(HOUR)}: {key(HOUR)}: 1 event is")
    assert "plaintext stands in content_name (1): e" in line


def test_an_hour_that_a_check_names_is_not_over_with_the_next_hour(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
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
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR conversion_payloads no_plaintext, hour {key(HOUR)}: {key(HOUR)}: 1 event is")
    project.materialize(HOUR)
    alert_sensor.tick()
    assert webhook_server.take() == [f"OVER conversion_payloads no_plaintext, hour {key(HOUR)}: it goes through again."]


def test_a_run_whose_process_died_is_told(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    run = project.instance.create_run_for_job(job, tags={"dagster/partition": key(HOUR)})
    project.instance.report_run_failed(run)
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith(f"ERROR hourly, hour {key(HOUR)}: the run's process died")
    project.materialize()
    alert_sensor.tick()
    assert webhook_server.take() == [f"OVER hourly, hour {key(HOUR)}: it goes through again."]


def test_a_job_without_hours_is_told_as_well(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination(token=AccessToken("of-somebody-else"))
    job = build_definitions(project.settings).resolve_job_def(CONNECTION_JOB)
    job.execute_in_process(instance=project.instance, raise_on_error=False)
    alert_sensor.tick()
    (line,) = webhook_server.take()
    assert line.startswith("ERROR send_test_events: shop: HTTP 401")
    project.pipeline.destinations.rotate_token("shop", AccessToken(TOKEN))
    job.execute_in_process(instance=project.instance)
    alert_sensor.tick()
    assert webhook_server.take() == ["OVER send_test_events: it goes through again."]


def test_what_somebody_only_tries_is_no_alert(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
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
    alert_sensor.tick()
    assert webhook_server.take() == []


def test_what_failed_before_it_was_switched_on_is_history(project: Project, webhook_server: WebhookServer) -> None:
    project.reopen(alert_webhook=SecretStr(webhook_server.address))
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    alert_sensor = AlertSensor(project)
    alert_sensor.tick()
    assert webhook_server.take() == []
