"""Requests that the collector takes, and its answers to all others."""

import base64
import gzip
import json
import shutil
import socket
from typing import Any

import pytest
import requests

from snap_pipeline_tests.collector.conftest import RunningCollector
from snap_pipeline_tests.project import HOUR, NOW, Project

TRACK = {"type": "track", "event": "Order Completed", "userId": "ann-7", "properties": {"value": 1}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A collector that the tests of this file share, each with a source of its own."""
    running = RunningCollector(Project(tmp_path_factory.mktemp("home"), "http://127.0.0.1:9"))
    yield running
    running.kill()


@pytest.fixture(scope="module")
def key(shared: RunningCollector) -> str:
    """The key of a server's source."""
    return shared.add_source("server")


@pytest.mark.parametrize(
    ("path", "body", "types"),
    [
        ("/v1/batch", {"batch": [TRACK, {"type": "identify"}]}, ["track", "identify"]),
        ("/_e/v1/b", {"batch": [TRACK]}, ["track"]),
        ("/v1/import", [TRACK, TRACK], ["track", "track"]),
        ("/v1/t", {"event": "Order Completed"}, ["track"]),
        ("/v1/track", TRACK, ["track"]),
        ("/v1/page", {"name": "Home"}, ["page"]),
        ("/v1/identify", {"traits": {}}, ["identify"]),
        ("/beacon/v1/batch", {"batch": [TRACK]}, ["track"]),
        ("/api/s/s2s/track", TRACK, ["track"]),
    ],
)
def test_every_path_of_a_library_is_taken(
    shared: RunningCollector, key: str, path: str, body: Any, types: list[str]
) -> None:
    before = len(shared.held())
    answer = shared.post(key, body, path)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    assert [event["type"] for event in shared.held()[before:]] == types


def test_events_land_with_an_id_a_time_and_when_they_were_received(project: Project) -> None:
    collector = RunningCollector(project)
    key = collector.add_source("server")
    sent = {"messageId": "m", "sentAt": "2020-01-01T00:00:00Z", "timestamp": "2019-12-31T23:59:00Z"} | TRACK
    body = {"batch": [TRACK, sent, 7, {"traits": {}}], "context": {"ip": "192.0.2.9"}}
    assert collector.post(key, body).status_code == 200
    collector.stop()
    plain, late, number, bare = collector.landed()
    assert number == 7
    assert plain["messageId"]
    assert plain["context"] == {"ip": "192.0.2.9"}
    assert plain["timestamp"] == plain["receivedAt"]
    # A clock that is years behind: the event happened a minute before it was sent.
    assert late["messageId"] == "m"
    assert late["originalTimestamp"] == "2019-12-31T23:59:00Z"
    assert late["timestamp"] != late["receivedAt"]
    assert late["timestamp"][:15] <= late["receivedAt"][:15]
    assert bare["messageId"]
    (file,) = collector.files()
    assert file.parent.name == f"{NOW:%Y-%m-%dT%H}"


def test_a_visitor_does_not_choose_what_only_a_server_knows(project: Project) -> None:
    collector = RunningCollector(project, "--trusted-proxy", "127.0.0.1/8")
    key = collector.add_source("web")
    chosen = {"origin": "csv", "ip_address": "10.0.0.1", "_forgotten": "true", "context": {"ip": "10.0.0.2"}} | TRACK
    headers = {"X-Forwarded-For": "10.0.0.3, 192.0.2.77", "User-Agent": "Mozilla/5.0 (X11)"}
    assert collector.post(key, chosen, "/v1/track", headers=headers).status_code == 200
    log = collector.stop()
    (event,) = collector.landed()
    assert event["context"] == {"userAgent": "Mozilla/5.0 (X11)"}
    assert event["ip_address"] == "192.0.2.77"
    assert not {"origin", "_forgotten"} & event.keys()
    assert "192.0.2.77" not in log
    assert "192.0.2.0 POST /v1/track 200" in log


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{ no JSON", 400),
        (b"7", 400),
        (gzip.compress(b'{"batch": []}')[:-9], 400),
        (b"\x1f\x8b no gzip", 400),
        (b"[" * 100_000, 400),
        (b"[" * 1_100 + b"]" * 1_100, 400),
        (gzip.compress(b"[" + b",".join([b"{}"] * 200_000) + b"]"), 413),
        (gzip.compress(b"[]") + gzip.compress(b"[]"), 400),
        (gzip.compress(bytes(5_000_000)), 413),
        (b" " * 5_000_000, 413),
        (gzip.compress(json.dumps({"batch": [TRACK]}).encode()), 200),
        (b'{"batch": [{"type": "track", "event": "Viewed", "properties": {"a": NaN, "b": "\\ud800"}}]}', 200),
        ('{"batch": [{"type": "track", "event": "caf\xe9"}]}'.encode("latin-1"), 200),
        (json.dumps({"batch": []}).encode(), 200),
    ],
)
def test_each_body_gets_its_answer(shared: RunningCollector, key: str, body: bytes, status: int) -> None:
    answer = shared.post(key, body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == status
    assert answer.json()["success"] is (status == 200)


def test_keys_and_paths_that_are_not_known_are_refused(shared: RunningCollector) -> None:
    assert shared.post("wk_wrong", TRACK).status_code == 401
    assert requests.post(f"{shared.url}/v1/batch", json={}, timeout=30).status_code == 401
    key = shared.add_source("server", "known")
    assert shared.post(key, TRACK, "/v1/other").status_code == 404
    assert requests.get(f"{shared.url}/v1/batch", timeout=30).status_code == 405
    assert shared.post(key, TRACK).status_code == 200
    for given in ({"params": {"writeKey": key}}, {"headers": {"X-Write-Key": key}}):
        answer = requests.post(f"{shared.url}/v1/track", data=json.dumps(TRACK), timeout=30, **given)
        assert answer.status_code == 200
    inside = TRACK | {"writeKey": key}
    assert requests.post(f"{shared.url}/v1/track", data=json.dumps(inside), timeout=30).status_code == 200
    assert key not in str(shared.held())
    # A site that asks its visitors for a password, and a client that separates the scheme by two blanks.
    assert shared.post("visitor", TRACK, "/v1/track", headers={"X-Write-Key": key}).status_code == 200
    blanks = {"Authorization": f"Basic  {base64.b64encode(f'{key}:'.encode()).decode()}"}
    answer = requests.post(f"{shared.url}/v1/track", data=json.dumps(TRACK), headers=blanks, timeout=30)
    assert answer.status_code == 200


def test_an_unknown_key_is_refused_before_the_body_is_read(shared: RunningCollector) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        head = "POST /v1/track?writeKey=wk_wrong HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def test_the_browser_library_of_rudderstack_gets_a_source(shared: RunningCollector, key: str) -> None:
    answer = requests.get(f"{shared.url}/_e/sourceConfig/", params={"writeKey": key}, timeout=30)
    source = answer.json()["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == (key, True, [])
    assert requests.get(f"{shared.url}/sourceConfig/", auth=("wk_wrong", ""), timeout=30).status_code == 401


def test_the_log_has_no_path_that_is_not_known(project: Project) -> None:
    collector = RunningCollector(project)
    forged = "/v1/x%0A2026-01-01%2000:00:00,000%20INFO%2010.9.9.0%20POST%20/v1/batch%20200"
    assert collector.post("wk_wrong", TRACK, forged).status_code == 404
    log = collector.stop()
    assert "127.0.0.0 POST - 404" in log
    assert "10.9.9.0" not in log


def test_it_is_ready_while_it_can_write(project: Project) -> None:
    collector = RunningCollector(project)
    assert requests.get(f"{collector.url}/readyz", timeout=30).status_code == 200
    shutil.rmtree(project.settings.landing, ignore_errors=True)
    # In the folder's place, since nothing is forbidden to a root user.
    project.settings.landing.write_text("a file")
    assert requests.get(f"{collector.url}/readyz", timeout=30).status_code == 503
    key = collector.add_source("server")
    refused = collector.post(key, TRACK)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    project.settings.landing.unlink()
    assert collector.post(key, TRACK).status_code == 200
    collector.stop()
    assert len(collector.landed()) == 1


def test_a_page_of_another_origin_may_post(shared: RunningCollector) -> None:
    headers = {
        "Origin": "https://shop.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,anonymousid",
    }
    answer = requests.options(f"{shared.url}/v1/track", headers=headers, timeout=30)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type,anonymousid"
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_sender_that_leaves_halfway_lands_nothing(project: Project) -> None:
    collector = RunningCollector(project)
    key = collector.add_source("server")
    with socket.create_connection(("127.0.0.1", collector.port)) as connection:
        head = f"POST /v1/track?writeKey={key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b'{"event": "Viewed"}')
    assert collector.post(key, TRACK, "/v1/track").status_code == 200
    collector.stop()
    assert len(collector.landed()) == 1


def test_what_was_answered_200_is_on_disk_and_is_published_after_a_kill(project: Project) -> None:
    collector = RunningCollector(project)
    key = collector.add_source("server")
    assert collector.post(key, TRACK).status_code == 200
    collector.kill()
    (draft,) = project.settings.landing.rglob(".collected-*")
    with draft.open("ab") as file:
        file.write(b'{"event": "torn')
    assert project.pipeline.landing.listing(HOUR) == []
    collector.restart()
    collector.stop()
    (event,) = collector.landed()
    assert event["event"] == "Order Completed"
    assert not list(project.settings.landing.rglob(".collected-*"))
