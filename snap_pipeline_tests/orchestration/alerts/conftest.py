"""The channel and the sensor over a project."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from snap_pipeline.orchestration.alerts import webhook
from snap_pipeline_tests.orchestration.alerts.channel import Channel, Watch
from snap_pipeline_tests.project import Project


@pytest.fixture
def channel() -> Iterator[Channel]:
    channel = Channel()
    yield channel
    channel.server.shutdown()
    channel.server.server_close()


@pytest.fixture
def watch(project: Project, channel: Channel, tmp_path: Path) -> Watch:
    """The sensor, switched on for a project without a history, whose instance is one of files."""
    (tmp_path / "dagster").mkdir()
    project.instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    project.reopen(alert_webhook=SecretStr(channel.address))
    return Watch(project)


@pytest.fixture(autouse=True)
def quick_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook.Webhook.send.retry, "sleep", lambda _: None)
