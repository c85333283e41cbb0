"""What a destination is. How it is kept is `store.py`."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.capi.dialect import Dialect
from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS, WEB_AGE_DAYS

State = Literal["live", "paused", "removed"]
NAMESPACE = uuid.UUID("8f0f2ea4-7a5e-4f63-9a53-5d1f0b1f6c1e")
"""Of the ids; it must stay what it is, since receipts are found by them."""


@dataclass(frozen=True)
class Destination:
    """Who receives. The access token is no part of it.

    Attributes:
        since: the key of the first hour that it is owed.
        token_last_four: of the access token; empty where the token is too short to show any of it.
        stopped_at: since when runs have been stopping, or got nothing through; None once one went through, or the user
            changed something.
        stop_count: stops in a row, those before `retry_at` counted once.
        stop_category: of the answer that stopped it.
        stop_message: what happened and what to do.
        retry_at: when it may be tried again unasked.
        last_error: the latest stop's message, kept after a success.
        state_since: since when it is live, paused or removed; None where an older version noted none.
        web_age_days: age in days after which a WEB or MOBILE_APP event is not sent to v3.
        offline_age_days: age in days after which an OFFLINE event is not sent, and any event of v2.
    """

    id: str
    workspace: str
    name: str
    pixel_id: str
    snap_app_id: str | None
    api_version: ApiVersion
    base_url: str
    requests_per_minute: int
    since: str
    state: State
    token_last_four: str
    token_set_at: datetime
    stopped_at: datetime | None = None
    stop_count: int = 0
    stop_category: str | None = None
    stop_message: str | None = None
    retry_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str | None = None
    state_since: datetime | None = None
    web_age_days: int = WEB_AGE_DAYS
    offline_age_days: int = OFFLINE_AGE_DAYS

    @property
    def dialect(self) -> Dialect:
        """What its version of the API does in its own way."""
        return DIALECTS[self.api_version]


def destination_id(workspace: str, pixel_id: str) -> str:
    """The id of a workspace's pixel, always the same, so that remove and add again finds its receipts."""
    return str(uuid.uuid5(NAMESPACE, f"{workspace}/{pixel_id}"))
