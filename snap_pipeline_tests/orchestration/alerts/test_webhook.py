"""Failing webhooks: a line is neither lost nor doubled, and no secret leaks."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from snap_pipeline.orchestration.alerts import sensor, webhook
from snap_pipeline.settings import Settings
from snap_pipeline_tests.hostile_server import Connection, hostile_server
from snap_pipeline_tests.orchestration.alerts.webhook_server import EMAIL, OTHER_PIXEL, PATH, AlertSensor, WebhookServer
from snap_pipeline_tests.project import TOKEN, Project, purchase


def test_a_webhook_that_is_down_loses_and_doubles_nothing(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL)
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    webhook_server.statuses = [200, *[503] * webhook.ATTEMPTS]  # the first line is taken, the second one is not
    assert "The next one waits: the webhook answered HTTP 503" in alert_sensor.tick()
    assert len(webhook_server.lines) == 1
    webhook_server.statuses = [404]
    assert "set SNAP_PIPELINE_ALERT_WEBHOOK" in alert_sensor.tick()
    alert_sensor.tick()
    alert_sensor.tick()
    assert sorted(line.split(",")[0] for line in webhook_server.take()) == ["ERROR second", "ERROR shop"]


def test_what_is_not_taken_is_tried_again_within_the_tick(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    webhook_server.statuses = [500, 429]
    alert_sensor.tick()
    assert (webhook_server.attempts, len(webhook_server.take())) == (3, 1)


def test_a_server_that_is_gone_is_tried_at_the_next_tick(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    address = webhook_server.address
    project.reopen(alert_webhook=SecretStr(f"http://127.0.0.1:9{PATH}"))
    assert "could not be reached: 127.0.0.1 refused the connection" in alert_sensor.tick()
    project.reopen(alert_webhook=SecretStr(address))
    alert_sensor.tick()
    assert len(webhook_server.take()) == 1


def test_a_slow_webhook_is_told_the_rest_at_the_next_tick(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    project.add_destination("second", pixel_id=OTHER_PIXEL)
    project.land(purchase("e"))
    project.set_fault(status=401)
    project.materialize()
    clock = iter([0.0, 0.0])
    with monkeypatch.context() as patch:
        patch.setattr(sensor, "monotonic", lambda: next(clock, sensor.MAX_SECONDS_A_TICK + 1))
        alert_sensor.tick()
    assert len(webhook_server.lines) == 1
    alert_sensor.tick()
    alert_sensor.tick()
    assert sorted(line.split(",")[0] for line in webhook_server.take()) == ["ERROR second", "ERROR shop"]


def test_an_answer_that_never_ends_holds_nothing_up() -> None:
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            done.wait(30)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        webhook.Webhook(f"http://127.0.0.1:{server.server_port}{PATH}").send("line")
        assert not done.is_set()
        done.set()
        server.shutdown()


def test_an_answer_that_drips_holds_up_no_longer_than_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.3)

    def drip_headers(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nX-A: ")
        connection.drip(b"a")

    with hostile_server(drip_headers) as server, pytest.raises(webhook.WebhookDown, match="did not answer within 0 s"):
        webhook.Webhook(f"{server.url}{PATH}").send("line")
    assert server.targets == [PATH]


def test_neither_the_address_nor_a_token_nor_personal_data_is_told(
    alert_sensor: AlertSensor, project: Project, webhook_server: WebhookServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    project.add_destination()
    project.land(purchase("e", email=EMAIL))
    project.set_fault(status=401)
    project.materialize()
    webhook_server.statuses = [503]
    alert_sensor.tick()
    project.reopen(alert_webhook=SecretStr(f"http://127.0.0.1:9{PATH}"))
    project.clear_faults()
    project.materialize()
    alert_sensor.tick()
    assert "waits" in alert_sensor.message
    (line,) = webhook_server.take()
    assert TOKEN not in line
    assert EMAIL not in line
    assert "POST" in caplog.text
    for text in (
        caplog.text,
        alert_sensor.message,
        alert_sensor.cursor,
        repr(project.settings),
        project.settings.model_dump_json(),
    ):
        assert "nobody-may-see-this" not in str(text)


def test_without_a_webhook_nothing_is_lost_until_there_is_one(project: Project) -> None:
    alert_sensor = AlertSensor(project)
    assert alert_sensor.message == "SNAP_PIPELINE_ALERT_WEBHOOK is not set, so no alerts are sent."
    assert not alert_sensor.cursor


def test_a_webhook_must_be_an_address() -> None:
    with pytest.raises(ValidationError, match="not an address"):
        Settings(alert_webhook=SecretStr("hooks.slack.com/services"))
