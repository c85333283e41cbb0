"""A destination's access to Snap: the client, under the token's rate limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import Answer, Category, with_destination
from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.capi.client import ConversionsClient
from snap_pipeline.capi.rate_limit import RateLimiter, token_fingerprint


@dataclass(frozen=True)
class ConnectionTestResult:
    """The result of a destination's connection test.

    Attributes:
        passed: Snap accepted the test event.
        message: the result in words; after a failure, what to do.
    """

    passed: bool
    message: str

    @classmethod
    def of(cls, answer: Answer, name: str) -> Self:
        """Return the result that an answer stands for.

        Args:
            answer: of Snap.
            name: of the destination.
        """
        if answer.category is Category.ACCEPTED:
            return cls(True, f"Connection test successful ({answer.latency_ms:.0f} ms).")
        return cls(False, with_destination(answer.explanation, name))


class ApiSession:
    """The access to Snap of one destination, safe to use from several threads.

    Args:
        name: of the destination, for the log.
        base_url: such as `https://tr.snapchat.com`.
        version: of the API.
        token: of the destination; destinations with the same token share its rate limit.
        requests_per_minute: the limit.
        limiter: the rate limiter, shared between processes and hosts.
        now: the data's clock, for the test event.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        version: ApiVersion,
        token: AccessToken,
        requests_per_minute: int,
        limiter: RateLimiter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = ConversionsClient(base_url, version, token)
        self._name, self._dialect = name, DIALECTS[version]
        self._fingerprint = token_fingerprint(token.reveal())
        self._requests_per_minute = requests_per_minute
        self._limiter, self._now = limiter, now

    def permit(self) -> float:
        """Wait for the token's next free slot, and return the seconds that took."""
        return self._limiter.acquire(self._fingerprint, self._requests_per_minute, name=self._name)

    def send(self, asset_id: str, events: Sequence[bytes], *, validate: bool = False) -> Answer:
        """Post events that all belong to one asset; call `permit` before."""
        return self._client.send(asset_id, events, validate=validate)

    def slow_down(self, seconds: float) -> None:
        """Make all requests with the token wait, in every process."""
        self._limiter.pause(self._fingerprint, seconds)

    def test(self, pixel_id: str, test_event_code: str | None = None) -> Answer:
        """Send a PAGE_VIEW to the validate endpoint, which counts nothing.

        With a test event code of Events Manager, which only v3 has, it goes to the events endpoint: Snap shows it in
        Events Manager and does not count it.
        """
        event = self._dialect.test_event(pixel_id, self._now(), test_event_code)
        self.permit()
        return self.send(pixel_id, [event.encode()], validate=test_event_code is None)
