"""The application alone, with files that fail as no real disk does on demand."""

import asyncio
from typing import Any

import pytest

from snap_pipeline.collector.app import Collector
from snap_pipeline.collector.known_keys import KnownKeys


class FailingFiles:
    """Files that can do nothing."""

    def start(self) -> None:
        raise PermissionError(13, "Permission denied")

    def check(self) -> None:
        raise KeyError("ann@example.com")


def messages_of(scope: dict[str, Any]) -> list[Any]:
    """Return what the application sends."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    collector = Collector(FailingFiles(), KnownKeys(list), "/_e")  # type: ignore[arg-type] - a fault in their place
    asyncio.run(collector(scope, receive, send))
    return sent


def test_an_unforeseen_error_is_answered_with_503(caplog: pytest.LogCaptureFixture) -> None:
    scope = {"type": "http", "method": "GET", "path": "/readyz", "headers": [(b"origin", b"https://shop.example.com")]}
    start = messages_of(scope)[0]
    headers = dict(start["headers"])
    assert (start["status"], headers[b"retry-after"]) == (503, b"1")
    assert headers[b"access-control-allow-origin"] == b"https://shop.example.com"
    assert "KeyError" in caplog.text
    assert "ann@example.com" not in caplog.text


def test_a_collector_that_cannot_write_does_not_start() -> None:
    (message,) = messages_of({"type": "lifespan"})
    assert message["type"] == "lifespan.startup.failed"
