"""The state of one sandbox: how it was started, its clock, and all that it remembers.

What it does with a request is in `answers.py`.
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
    """Whose the assets are. All belong to one organization, and so do all tokens.

    Attributes:
        tokens: the access tokens that are valid.
        asset_ids: pixel ids of the organization; empty stands for every well-formed UUID.
        app_ids: Snap App IDs of the organization. With any given, app events go to these and to no other.
    """

    tokens: frozenset[str] = frozenset({DEFAULT_TOKEN})
    asset_ids: frozenset[str] = frozenset()
    app_ids: frozenset[str] = frozenset()

    def knows(self, token: str | None) -> bool:
        """Whether the token is valid."""
        return token in self.tokens

    def owns(self, asset_id: str | None) -> bool:
        """Whether the asset, in lower case, is the organization's."""
        if self.asset_ids:
            return asset_id in self.asset_ids or asset_id in self.app_ids
        return _is_uuid(asset_id)

    def takes(self, asset_id: str, *, app: bool) -> bool:
        """Whether the asset is of the kind that app events go to, or of the other."""
        return not self.app_ids or (asset_id in self.app_ids) == app


@dataclass(frozen=True)
class SandboxOptions:
    """How a sandbox is started.

    Attributes:
        access: tokens and assets.
        rules: checks that Snap may or may not make.
        standing: what applies to every request: rate limit, partial acceptance, withheld positions.
        partial_status: v2's status word where some records failed (snap-api.md, section 12, row 2).
    """

    access: Access = field(default_factory=Access)
    rules: Rules = field(default_factory=Rules)
    standing: Fault = field(default_factory=lambda: Fault(requests_per_second=1000))
    partial_status: str = "PARTIAL_SUCCESS"


@dataclass(frozen=True)
class ValidatedEvent:
    """An event posted to a validate endpoint.

    Attributes:
        api_version: v3 or v2.
        asset_id: of the request.
        arrived: epoch milliseconds.
        event: as posted.
        error: why it was refused, if it was.
    """

    api_version: str
    asset_id: str | None
    arrived: int
    event: dict[str, Any]
    error: str | None


class Sandbox:
    """Everything that one server remembers.

    Args:
        options: how it is started.
        fixed_now: the clock of the age checks and of deduplication; None is real time.
    """

    def __init__(self, options: SandboxOptions, fixed_now: datetime | None) -> None:
        self.options, self.access = options, options.access
        self._initial_now = fixed_now
        self.faults = FaultPlan(options.standing)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self.fixed_now = self._initial_now
        self.store = EventStore()
        self.journal, self.rate_limit = Journal(), RateLimit()
        self.tests: deque[ValidatedEvent] = deque(maxlen=MAXIMUM_TESTS)

    def reset(self) -> None:
        """Forgets events, requests, test events and faults; the clock is again what it was at the start."""
        self.store.close()
        self.faults.clear()
        self._start_afresh()

    def now(self) -> int:
        """Epoch milliseconds."""
        return int((self.fixed_now.timestamp() if self.fixed_now else time.time()) * 1000)

    def recent_tests(self, api_version: str, asset_id: str) -> Iterator[ValidatedEvent]:
        """An asset's test events of the last 24 hours (snap-api.md, sections 2.1 and 3.1)."""
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
