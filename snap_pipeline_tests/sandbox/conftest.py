"""One sandbox for all tests of this folder, emptied before each, and an HTTP client for it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from snap_pipeline.sandbox.server import SandboxServer

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 24 * 3_600_000
TOKEN = "sandbox-token"
PIXEL = "11111111-1111-4111-8111-111111111111"
APP = "22222222-2222-4222-8222-222222222222"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def without(event: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in fields}


def web_event(**fields: Any) -> dict[str, Any]:
    """Return a valid v3 web event."""
    return {
        "event_name": "PAGE_VIEW",
        "event_time": NOW_MS,
        "action_source": "WEB",
        "event_id": "e1",
        "user_data": {"em": [sha256("person@example.com")]},
    } | fields


def purchase(**fields: Any) -> dict[str, Any]:
    """Return a valid v3 purchase."""
    return web_event(event_name="PURCHASE", custom_data={"value": 10.5, "currency": "USD", "order_id": "o1"}) | fields


def app_event(**fields: Any) -> dict[str, Any]:
    """Return a valid v3 app event, identified by its mobile ad id only."""
    extinfo = ["i2", *[""] * 3, "17.1", *[""] * 11]
    identifiers = {"madid": "01234567-89ab-4cde-8f01-23456789abcd"}
    return web_event(action_source="MOBILE_APP", user_data=identifiers, app_data={"extinfo": extinfo}) | fields


def record(**fields: Any) -> dict[str, Any]:
    """Return a valid v2 record."""
    return {
        "pixel_id": PIXEL,
        "event_type": "PAGE_VIEW",
        "event_conversion_type": "WEB",
        "timestamp": str(NOW_MS),
        "client_dedup_id": "e1",
        "hashed_email": sha256("person@example.com"),
    } | fields


def app_record(**fields: Any) -> dict[str, Any]:
    """Return a valid v2 app record."""
    app = {"snap_app_id": APP, "app_id": "123", "event_conversion_type": "MOBILE_APP"}
    return without(record(), "pixel_id") | app | fields


@dataclass
class Client:
    """A client that posts to a sandbox and reads its events."""

    url: str

    def v3(
        self, *events: Any, asset: str = PIXEL, token: str = TOKEN, path: str = "", **options: Any
    ) -> requests.Response:
        address = f"{self.url}/v3/{asset}/events{path}"
        return requests.post(
            address, params={"access_token": token}, json={"data": list(events)}, timeout=20, **options
        )

    def v2(self, body: Any, *, token: str = TOKEN, path: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{self.url}/v2/conversion{path}", headers=headers, json=body, timeout=20)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=20)
        assert response.ok, response.text
        return response.json() if response.content else None

    def fault(self, **fields: Any) -> None:
        self.control("POST", "faults", fields)

    def pixel(self, **fields: Any) -> None:
        self.control("POST", "pixel", {"pixel_id": PIXEL, "name": "PAGE_VIEW", "timestamp": NOW_MS} | fields)

    def clock(self, milliseconds: int) -> None:
        self.control("POST", "clock", {"now": datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()})

    def events(self, query: str = "") -> Any:
        return self.control("GET", f"events{query}")


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(now=NOW) as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer) -> Client:
    client = Client(server.url)
    client.control("POST", "reset")
    return client
