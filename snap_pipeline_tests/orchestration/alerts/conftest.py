"""Fixtures of the alert tests: the webhook server, and the sensor over a project."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from snap_pipeline.orchestration.alerts import webhook
from snap_pipeline_tests.orchestration.alerts.webhook_server import AlertSensor, WebhookServer
from snap_pipeline_tests.project import Project


@pytest.fixture
def webhook_server() -> Iterator[WebhookServer]:
    webhook_server = WebhookServer()
    yield webhook_server
    webhook_server.server.shutdown()
    webhook_server.server.server_close()


@pytest.fixture
def alert_sensor(project: Project, webhook_server: WebhookServer, tmp_path: Path) -> AlertSensor:
    """The sensor, switched on in a project without history, with a file-based Dagster instance."""
    (tmp_path / "dagster").mkdir()
    project.instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    project.reopen(alert_webhook=SecretStr(webhook_server.address))
    return AlertSensor(project)


@pytest.fixture(autouse=True)
def quick_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook.Webhook.send.retry, "sleep", lambda _: None)
