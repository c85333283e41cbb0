"""The journal of requests, one record per request without its token, and the rate limit of each token.

`event_store.py` has the counted events.
"""

import hashlib
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


def fingerprint(token: str | None) -> str | None:
    """Return 8 hex digits of a token's SHA-256: enough to tell tokens apart, too little to use one."""
    return hashlib.sha256(token.encode()).hexdigest()[:8] if token else None


@dataclass
class RequestRecord:
    """One request to Snap's endpoints.

    Attributes:
        method: of HTTP.
        path: without the query, where v3 carries the token.
        api_version: v3 or v2.
        asset_id: of v3's path, or of v2's first record.
        events: number of events in the body; None if the body could not be parsed.
        bytes: size of the body.
        token: its fingerprint.
        status: of the answer; None before the answer, or if the connection was dropped.
        monotonic: arrival, in seconds of a monotonic clock.
        epoch: arrival, in seconds since 1970.
    """

    method: str
    path: str
    api_version: str
    asset_id: str | None
    events: int | None
    bytes: int
    token: str | None
    status: int | None = None
    monotonic: float = field(default_factory=time.monotonic)
    epoch: float = field(default_factory=time.time)


class Journal:
    """All requests since the start or the last reset."""

    def __init__(self) -> None:
        self._records: list[RequestRecord] = []

    def add(self, record: RequestRecord) -> None:
        """Add a record; the status is set when the request is answered."""
        self._records.append(record)

    def describe(self) -> dict[str, Any]:
        """Return the records in order of arrival, and totals."""
        statuses = Counter(str(record.status) if record.status else "none" for record in self._records)
        return {
            "counters": {
                "requests": len(self._records),
                "events": sum(record.events or 0 for record in self._records),
                "bytes": sum(record.bytes for record in self._records),
                "by_status": dict(statuses),
            },
            "requests": [asdict(record) for record in self._records],
        }


class RateLimit:
    """The rate limit: counts each token's requests of the last second (docs/snap-api.md, section 3.8).

    Args:
        clock: returns seconds; tests pass a fixed one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)

    def exceeded(self, token: str | None, per_second: float) -> bool:
        """Tell whether a request exceeds the limit; if not, count it."""
        recent, now = self._recent[token or ""], self._clock()
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if per_second and len(recent) >= per_second:
            return True
        recent.append(now)
        return False
