"""`destination test`: the request, and the message for every possible answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from snap_pipeline.capi import client
from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline_tests.certificates import self_signed_context
from snap_pipeline_tests.project import PIXEL_ID, TOKEN, Project

SECRET = "a-token-that-nobody-may-see"


def logged_tests(project: Project, version: str) -> list[dict[str, Any]]:
    if version == "v3":
        address, query = f"/v3/{PIXEL_ID}/events/validate/logs", {"access_token": TOKEN}
        answer = requests.get(project.sandbox_url + address, params=query, timeout=20)
        return [log["event_metadata"]["conversion_info"] for log in answer.json()["logs"]]
    answer = requests.get(
        f"{project.sandbox_url}/v2/conversion/validate/logs",
        params={"asset_id": PIXEL_ID},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=20,
    )
    return [log["event_metadata"] for log in answer.json()["logs"]]


@pytest.mark.parametrize(
    ("version", "path"), [("v3", f"/v3/{PIXEL_ID}/events/validate"), ("v2", "/v2/conversion/validate")]
)
def test_a_page_view_goes_to_the_validate_endpoint_of_the_version(
    run, project: Project, version: str, path: str
) -> None:
    project.add_destination(api_version=version)

    result = run("destination", "test", "shop")

    assert result.exit_code == 0
    assert result.stdout.startswith("Connection test successful (")
    assert result.stdout.endswith(" ms).\n")
    assert [request["path"] for request in project.requests_seen("")] == [path]
    (event,) = logged_tests(project, version)
    assert event["event_name" if version == "v3" else "event_type"] == "PAGE_VIEW"
    assert ("test_mode" in event, event.get("test_mode")) == ((True, True) if version == "v2" else (False, None))
    assert project.received() == []


def test_a_test_event_code_puts_one_event_into_the_test_view_and_counts_none(run, project: Project) -> None:
    project.add_destination()

    result = run("destination", "test", "shop", "--test-event-code", "TEST-1")

    assert result.exit_code == 0, result.output
    assert [event["test_event_code"] for event in logged_tests(project, "v3")] == ["TEST-1"]
    assert [request["path"] for request in project.requests_seen("")] == [f"/v3/{PIXEL_ID}/events"]
    assert project.received() == []


@pytest.mark.parametrize(
    ("version", "code", "message"), [("v2", "TEST", "v2, which has no test"), ("v3", "a b", "copy the code")]
)
def test_a_test_event_code_that_cannot_be_used_is_bad_usage(
    run, project: Project, version: str, code: str, message: str
) -> None:
    project.add_destination(api_version=version)
    result = run("destination", "test", "shop", "--test-event-code", code)
    assert result.exit_code == 2
    assert message in result.stderr
    assert project.requests_seen("") == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 400}, ("HTTP 400", "compare the Pixel ID", "Events Manager")),
        ({"status": 401}, ("HTTP 401", "regenerate the Conversions API token in Ads Manager", "rotate-token")),
        ({"status": 403}, ("HTTP 403", "lacks permission", "OAuth scope", "organization admin")),
        ({"status": 404}, ("HTTP 404", "base URL")),
        ({"status": 429}, ("HTTP 429", "rate limit", "--requests-per-minute")),
        ({"status": 500}, ("HTTP 500", "Snap's servers have a problem")),
        ({"status": 503}, ("HTTP 503", "Snap's servers have a problem")),
        ({"redirect": "http://127.0.0.1:9/"}, ("HTTP 307", "base URL")),
        ({"html": True}, ("HTTP 200", "not Snap's", "proxy")),
        ({"invalid_200": True}, ("HTTP 200", "could not be processed")),
        ({"drop_before_storing": True}, ("no answer", "broke")),
        ({"delay_seconds": 2}, ("no answer", "did not answer within")),
    ],
)
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_a_refusal_is_told_with_what_to_do(
    run, project: Project, monkeypatch: pytest.MonkeyPatch, version: str, fault: dict[str, Any], words: tuple[str, ...]
) -> None:
    if "delay_seconds" in fault:
        monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    project.add_destination(api_version=version, token=AccessToken(SECRET))
    project.set_fault(path="validate", **fault)

    result = run("destination", "test", "shop")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the connection test of shop failed: ")
    for word in words:
        assert word in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("https://no-such-host.invalid", ("DNS: the name no-such-host.invalid is not known",)),
        ("http://127.0.0.1:1", ("127.0.0.1 refused the connection", "firewall")),
    ],
)
def test_no_connection_is_told_with_what_to_do(run, project: Project, base_url: str, words: tuple[str, ...]) -> None:
    project.add_destination(base_url=base_url, token=AccessToken(SECRET))
    result = run("destination", "test", "shop")
    assert result.exit_code == 1
    for word in (*words, "no answer", "destination show"):
        assert word in result.stderr
    assert SECRET not in result.output


class SilentServer(HTTPServer):
    """A server that prints nothing about aborted handshakes."""

    def handle_error(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def untrusted_server(tmp_path: Path) -> Iterator[str]:
    """An https server whose certificate nobody signed."""
    context = self_signed_context(tmp_path / "server.pem")
    server = SilentServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_certificate_that_is_not_trusted_is_told(run, project: Project, untrusted_server: str) -> None:
    project.add_destination(base_url=untrusted_server, token=AccessToken(SECRET))
    result = run("destination", "test", "shop")
    assert result.exit_code == 1
    assert "TLS: 127.0.0.1 showed no certificate that is trusted here" in result.stderr
    assert "certificates" in result.stderr
    assert SECRET not in result.output
