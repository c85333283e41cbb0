"""The sandbox as a process: its journal and output, and its end together with its parent process."""

import signal
import subprocess
import sys
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from snap_pipeline.sandbox.server import SandboxError, SandboxServer
from snap_pipeline_tests.processes import started
from snap_pipeline_tests.sandbox.conftest import PIXEL, Client, record, sha256, web_event

COMMAND = [sys.executable, "-m", "snap_pipeline.sandbox", "--port", "0"]


def test_every_request_is_recorded_without_its_token(sandbox: Client) -> None:
    sandbox.v3(web_event(), web_event(event_id="e2"))
    sandbox.v2([record()], token="secret")

    report = sandbox.control("GET", "requests")
    assert "secret" not in str(report)
    assert "sandbox-token" not in str(report)
    first, second = report["requests"]
    assert (first["method"], first["path"], first["api_version"]) == ("POST", f"/v3/{PIXEL}/events", "v3")
    assert (first["events"], first["status"], first["token"]) == (2, 200, sha256("sandbox-token")[:8])
    assert (second["path"], second["asset_id"], second["status"]) == ("/v2/conversion", PIXEL, 401)
    assert second["monotonic"] >= first["monotonic"]
    counters = report["counters"]
    assert (counters["requests"], counters["events"], counters["by_status"]) == (2, 3, {"200": 1, "401": 1})
    assert counters["bytes"] == first["bytes"] + second["bytes"] > 0


def test_the_clock_follows_real_time_where_nothing_fixes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAP_PIPELINE_NOW", raising=False)
    with SandboxServer() as server:
        client = Client(server.url)
        client.v3(web_event(event_time=1))

        assert client.control("GET", "requests")["requests"][0]["status"] == 400


def test_stop_leaves_nothing_behind_and_frees_the_port() -> None:
    before = psutil.Process().children(recursive=True)
    server = SandboxServer().start()
    assert psutil.Process().children(recursive=True) != before
    server.stop()
    server.stop()

    assert psutil.Process().children(recursive=True) == before
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=5)
    with SandboxServer(port=urlsplit(server.url).port or 0) as again:
        assert again.url == server.url


def test_a_port_in_use_is_reported(server: SandboxServer, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SandboxError):
        SandboxServer(port=urlsplit(server.url).port or 0).start()

    assert "Choose another --port" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order_and_no_token_was_said(number: signal.Signals) -> None:
    with started(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        url = process.stdout.readline().split()[-1]
        Client(url).v3(web_event())
        Client(url).fault(delay_seconds=30)
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{url}/v3/{PIXEL}/events?access_token=sandbox-token", json={"data": []}, timeout=0.3)
        process.send_signal(number)
        output = process.stdout.read() + process.stderr.read()

    assert process.returncode in (0, -number)
    assert "sandbox-token" not in output
    assert "Traceback" not in output


def test_it_ends_when_its_starter_is_killed() -> None:
    starter = (
        "import time; from snap_pipeline.sandbox.server import SandboxServer\n"
        "server = SandboxServer().start(); print(server._process.pid, flush=True); time.sleep(60)"
    )
    with started([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        sandbox = psutil.Process(int(process.stdout.readline()))
        process.kill()

    sandbox.wait(timeout=20)
