"""A destination's access to Snap: the client, held to the token's rate limit."""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from snap_pipeline.capi.answers import Answer, ApiVersion
from snap_pipeline.capi.client import ConversionsClient
from snap_pipeline.capi.rate_limit import RateLimiter, token_fingerprint
from snap_pipeline.destinations.tokens import AccessToken

TEST_USER_AGENT = "Mozilla/5.0 (compatible; snap_pipeline connection test)"
TEST_IP_ADDRESS = "192.0.2.1"


class ApiSession:
    """Sends to one destination, safe to use from several threads.

    Args:
        base_url: such as `https://tr.snapchat.com`.
        version: of the API.
        token: of the destination; its rate limit is shared by all that use the same token.
        requests_per_minute: the limit.
        limiter: shared between processes and hosts.
        now: the data's clock, for the test event.
    """

    def __init__(
        self,
        *,
        base_url: str,
        version: ApiVersion,
        token: AccessToken,
        requests_per_minute: int,
        limiter: RateLimiter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = ConversionsClient(base_url, version, token)
        self._version = version
        self._fingerprint = token_fingerprint(token.reveal())
        self._requests_per_minute = requests_per_minute
        self._limiter, self._now = limiter, now

    def permit(self) -> float:
        """Waits for the token's next free slot and returns the seconds that took."""
        return self._limiter.acquire(self._fingerprint, self._requests_per_minute)

    def send(self, asset_id: str, events: Sequence[str], *, validate: bool = False) -> Answer:
        """Posts events that all belong to one asset; `permit` comes first."""
        return self._client.send(asset_id, events, validate=validate)

    def slow_down(self, seconds: float) -> None:
        """Makes everything on the token wait, in every process."""
        self._limiter.pause(self._fingerprint, seconds)

    def test(self, pixel_id: str) -> Answer:
        """Sends a PAGE_VIEW to the validate endpoint, which counts nothing."""
        self.permit()
        return self.send(pixel_id, [json.dumps(self._test_event(pixel_id))], validate=True)

    def _test_event(self, pixel_id: str) -> dict[str, object]:
        moment = int(self._now().timestamp() * 1000)
        if self._version == "v2":
            return {
                "pixel_id": pixel_id,
                "event_type": "PAGE_VIEW",
                "event_conversion_type": "WEB",
                "timestamp": str(moment),
                "client_dedup_id": str(uuid.uuid4()),
                "page_url": "https://example.com/",
                "hashed_ip_address": hashlib.sha256(TEST_IP_ADDRESS.encode()).hexdigest(),
                "user_agent": TEST_USER_AGENT,
                "test_mode": True,
            }
        return {
            "event_name": "PAGE_VIEW",
            "event_time": moment,
            "action_source": "WEB",
            "event_source_url": "https://example.com/",
            "event_id": str(uuid.uuid4()),
            "user_data": {"client_ip_address": TEST_IP_ADDRESS, "client_user_agent": TEST_USER_AGENT},
        }
