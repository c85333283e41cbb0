"""The state of one sandbox: its options, its clock, and everything that it has stored.

`responses.py` processes the requests.
"""

import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from snap_pipeline.sandbox.event_rules import DAY_MS, Rules
from snap_pipeline.sandbox.event_store import EventStore
from snap_pipeline.sandbox.faults import Fault, FaultPlan
from snap_pipeline.sandbox.journal import Journal, RateLimit

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox
MAXIMUM_TESTS = 10_000


@dataclass(frozen=True)
class Access:
    """The tokens and assets of the one organization that the sandbox knows.

    Attributes:
        tokens: the access tokens that are valid.
        asset_ids: pixel ids of the organization; empty means every well-formed UUID.
        app_ids: Snap App IDs of the organization. If there are any, only these take app events.
    """

    tokens: frozenset[str] = frozenset({DEFAULT_TOKEN})
    asset_ids: frozenset[str] = frozenset()
    app_ids: frozenset[str] = frozenset()

    def is_valid_token(self, token: str | None) -> bool:
        """Tell whether the token is valid."""
        return token in self.tokens

    def owns_asset(self, asset_id: str | None) -> bool:
        """Tell whether the asset, in lower case, belongs to the organization."""
        if self.asset_ids:
            return asset_id in self.asset_ids or asset_id in self.app_ids
        return _is_uuid(asset_id)

    def takes_events(self, asset_id: str, *, app: bool) -> bool:
        """Tell whether the asset takes app events, or with `app=False` all other events."""
        return not self.app_ids or (asset_id in self.app_ids) == app


@dataclass(frozen=True)
class SandboxOptions:
    """The options of a sandbox.

    Attributes:
        access: tokens and assets.
        rules: the optional checks.
        permanent_fault: applies to every request: rate limit, partial acceptance, withheld positions.
        partial_status: v2's status if some records failed (docs/snap-api.md, section 12, row 2).
    """

    access: Access = field(default_factory=Access)
    rules: Rules = field(default_factory=Rules)
    permanent_fault: Fault = field(default_factory=lambda: Fault(requests_per_second=1000))
    partial_status: str = "PARTIAL_SUCCESS"


@dataclass(frozen=True)
class ValidatedEvent:
    """An event posted to a validate endpoint.

    Attributes:
        api_version: v3 or v2.
        asset_id: of the request.
        arrived: time in epoch milliseconds.
        event: as posted.
        error: the reason of a refusal, or None.
    """

    api_version: str
    asset_id: str | None
    arrived: int
    event: dict[str, Any]
    error: str | None


class Sandbox:
    """The state of one server.

    Args:
        options: of the sandbox.
        fixed_now: the clock of the age checks and of deduplication; None is real time.
    """

    def __init__(self, options: SandboxOptions, fixed_now: datetime | None) -> None:
        self.options, self.access = options, options.access
        self._initial_now = fixed_now
        self.faults = FaultPlan(options.permanent_fault)
        self._clear()

    def _clear(self) -> None:
        self.fixed_now = self._initial_now
        self.store = EventStore()
        self.journal, self.rate_limit = Journal(), RateLimit()
        self.tests: deque[ValidatedEvent] = deque(maxlen=MAXIMUM_TESTS)

    def reset(self) -> None:
        """Delete events, requests, test events and faults, and reset the clock."""
        self.store.close()
        self.faults.clear()
        self._clear()

    def now(self) -> int:
        """Return the time of the sandbox's clock in epoch milliseconds."""
        return int((self.fixed_now.timestamp() if self.fixed_now else time.time()) * 1000)

    def recent_tests(self, api_version: str, asset_id: str) -> Iterator[ValidatedEvent]:
        """Return an asset's test events of the last 24 hours (docs/snap-api.md, sections 2.1 and 3.1)."""
        since = self.now() - DAY_MS
        return (
            test
            for test in self.tests
            if (test.api_version, test.asset_id) == (api_version, asset_id) and test.arrived >= since
        )


@lru_cache(maxsize=64)
def _is_uuid(text: str | None) -> bool:
    try:
        return str(uuid.UUID(text or "")) == text
    except ValueError:
        return False
