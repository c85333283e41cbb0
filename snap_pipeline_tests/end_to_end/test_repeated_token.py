"""A gateway that quotes the address, and with it the token: the token is in no output of a run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.cli.run import open_instance
from snap_pipeline_tests.cli.conftest import run
from snap_pipeline_tests.hostile_server import Connection, hostile_server
from snap_pipeline_tests.leaks import holds, leaks_of
from snap_pipeline_tests.orchestration.alerts.conftest import webhook_server
from snap_pipeline_tests.orchestration.alerts.webhook_server import AlertSensor, WebhookServer
from snap_pipeline_tests.project import HOUR, Project, key, purchase

__all__ = ["run", "webhook_server"]

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0L3Nl+Y3Jld/C9zZWNyZXQ.bm9ib2R5LXNpZ25lZC10aGlz"
RANGE = ("--from", key(HOUR), "--to", key(HOUR))


def repeated(connection: Connection) -> str:
    """Return the request's address and credentials: plain, encoded once and twice, in JSON, and cut off."""
    words = connection.target + " " + " ".join(line for line in connection.head.splitlines() if "uthoriz" in line)
    once = quote(words, safe="")
    encoded = (words, once, quote(once).lower(), json.dumps(words).replace("/", "\\/"))
    return " ".join((*encoded, words[: words.index(TOKEN[:12]) + 14]))


def answer_with_echoes(connection: Connection) -> None:
    """Stop v2 with a 403, refuse v3's event `bad`, take the others; repeat the request wherever there is room."""
    words = repeated(connection)
    if b'"bad"' in connection.body:
        status, said = "400", "INVALID"
    else:
        status, said = "200", "VALID"
    if connection.target.startswith("/v2"):
        status = "403"
    body = json.dumps({"status": said, "reason": words}).encode()
    connection.reply(f"{status} {words}", body, f"X-Request: {words}", f"Retry-After: {words}")


@pytest.fixture
def echo() -> Iterator[str]:
    with hostile_server(answer_with_echoes) as server:
        yield server.url


@pytest.mark.timeout(600)  # all commands one after the other, dbt's among them, on a machine that may be busy
def test_a_repeated_token_is_nowhere_in_what_a_run_leaves_and_says(
    run: Any, project: Project, webhook_server: WebhookServer, echo: str, tmp_path: Path
) -> None:
    for version, pixel in (("v3", "11111111"), ("v2", "99999999")):
        pixel_id = f"{pixel}-2222-4333-8444-555555555555"
        project.add_destination(
            version, pixel_id=pixel_id, base_url=echo, api_version=version, token=AccessToken(TOKEN)
        )
    project.land(purchase("good"), purchase("bad"))
    project.instance = open_instance(project.settings)
    project.reopen(alert_webhook=SecretStr(webhook_server.address))
    alert_sensor = AlertSensor(project)
    said = [
        run("materialize", *RANGE).output,
        run("status").output,
        run("status", "--json").output,
        run("trace", "bad").output,
        *(run("destination", verb, version).output for verb in ("show", "test") for version in ("v3", "v2")),
        run("destination", "list").output,
        run("sql", "select * from delivery_requests", "--csv").output,
        run("insights").output,
        run("report", "-o", str(tmp_path / "report.html")).output,
    ]
    counts = project.counts()
    assert (counts["delivered"], counts["rejected"], counts["pending"]) == (1, 1, 2)
    alert_sensor.tick()
    told = webhook_server.take()
    assert told
    assert "…" in "".join(said)
    assert [text for text in (*said, *told) if holds(text, TOKEN)] == []
    assert leaks_of(TOKEN, tmp_path) == []
    assert {path.suffix for path in tmp_path.rglob("*")} >= {".parquet", ".db", ".html"}
