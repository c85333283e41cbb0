"""The destination, as a value. `store.py` saves and finds it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.capi.dialect import Dialect
from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS, WEB_AGE_DAYS

State = Literal["live", "paused", "removed"]
NAMESPACE = uuid.UUID("8f0f2ea4-7a5e-4f63-9a53-5d1f0b1f6c1e")
"""The namespace of the ids. It must never change, since receipts are found by id."""


@dataclass(frozen=True)
class Destination:
    """A receiver of events: a pixel, and an app, of one workspace. The access token is no part of it.

    Attributes:
        since: the key of the first hour that it receives.
        token_last_four: the end of the access token; empty if the token is too short to show any of it.
        ios_app_id: its app's number in the App Store, for events that do not give it.
        android_app_id: its app's package name in Google Play, likewise.
        stopped_at: the time of the first stop since the last success or change by the user; None if it is not stopped.
        stop_count: stops in a row, those before `retry_at` counted once.
        stop_category: of the answer that stopped it.
        stop_message: the failure and its remedy.
        retry_at: the time from which the sensor may retry it.
        last_error: the latest stop's message, kept after a success.
        state_since: the time from which it is live, paused or removed; None if an older version recorded none.
        web_age_days: age in days after which a WEB or MOBILE_APP event is not sent to v3.
        offline_age_days: age in days after which an OFFLINE event is not sent, and any event of v2.
        tested_at: the time of the last connection test; None if there was none.
        test_result: its result in words.
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
    ios_app_id: str | None = None
    android_app_id: str | None = None
    tested_at: datetime | None = None
    test_result: str | None = None

    @property
    def dialect(self) -> Dialect:
        """The object of its API version."""
        return DIALECTS[self.api_version]

    @property
    def projection_parameters(self) -> Mapping[str, str | None]:
        """The parameters of its version's `projection`."""
        return self.dialect.projection_parameters(
            self.pixel_id, self.snap_app_id, ios_app_id=self.ios_app_id, android_app_id=self.android_app_id
        )


def destination_id(workspace: str, pixel_id: str) -> str:
    """Derive the id of a workspace's pixel, always the same, so that a destination added again finds its receipts."""
    return str(uuid.uuid5(NAMESPACE, f"{workspace}/{pixel_id}"))
