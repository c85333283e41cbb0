"""Fixtures of destination tests: a store over two workspaces, and the fields of a destination."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.store import Destination, DestinationStore
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database

WORKSPACES = ("shop_a", "shop_b")
PIXEL_ID = "11111111-2222-4333-8444-555555555555"
TOKEN = ".".join(["eyJhbGciOiJIUzI1NiJ9", "a" * 80, "signature-1234"])

Add = Callable[..., Destination]


class Clock:
    """Real time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, minutes: float) -> None:
        self.moment += timedelta(minutes=minutes)


def fields(**changes: Any) -> dict[str, Any]:
    """Return the arguments of `add`, with changes."""
    known = {
        "name": "shop",
        "workspace": "shop_a",
        "pixel_id": PIXEL_ID,
        "since": "2026-11-20T12",
        "token": AccessToken(TOKEN),
        "live": True,
    }
    return known | changes


@pytest.fixture
def keys() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, keys: str, clock: Clock) -> DestinationStore:
    return DestinationStore(database, lambda: TokenCipher(keys), WORKSPACES, clock)


@pytest.fixture
def add(store: DestinationStore) -> Add:
    return lambda **changes: store.add(**fields(**changes))[0]
