"""The interface of an API version: everything that differs between them. Each is one object, in `v3.py` and `v2.py`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import Any

TEST_USER_AGENT = "Mozilla/5.0 (compatible; snap_pipeline connection test)"
TEST_IP_ADDRESS = "192.0.2.1"
"""An address of the range that is reserved for documentation, so that it belongs to no person."""
TEST_PAGE_URL = "https://example.com/"


@dataclass(frozen=True, repr=False)
class WireRequest:
    """An HTTP request without its host. It has no repr, since it carries the access token.

    Attributes:
        path: with the query.
        headers: in addition to those of every request.
        body: JSON.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


class Dialect(ABC):
    """One version of the Conversions API.

    Attributes:
        name: as destinations store it, and in `sql/wire_<name>.sql`.
        events_name_assets: whether each event names its pixel or app; otherwise the request does.
        has_web_age_limit: whether web and app events have an age limit of their own (snap-api.md, section 3.8).
        hashes_devices: whether IP addresses and advertising ids go out as digests (snap-api.md, section 6).
        needs_store_app_id: whether it refuses app events without the app store's id.
        answers_by_record: whether an answer that refuses some records means that the others were taken.
        has_test_event_codes: whether it takes Events Manager's codes for test events.
    """

    name: str
    events_name_assets: bool
    has_web_age_limit: bool
    hashes_devices: bool
    needs_store_app_id: bool
    answers_by_record: bool
    has_test_event_codes: bool

    @cached_property
    def projection(self) -> str:
        """The query for position, event id and JSON body of the payloads in the view `due`."""
        file = resources.files("snap_pipeline.capi").joinpath("sql", f"wire_{self.name}.sql")
        return file.read_text(encoding="utf-8")

    def projection_parameters(
        self,
        pixel_id: str,
        snap_app_id: str | None,
        *,
        ios_app_id: str | None = None,
        android_app_id: str | None = None,
    ) -> Mapping[str, str | None]:
        """Return the parameters of the projection, and no others: DuckDB refuses those that a query does not use.

        Args:
            pixel_id: the destination's pixel.
            snap_app_id: the destination's app.
            ios_app_id: the app's number in the App Store, for events that do not give it.
            android_app_id: the app's package name in Google Play, likewise.
        """
        store_ids = {"ios_app_id": ios_app_id, "android_app_id": android_app_id}
        return store_ids | ({"pixel_id": pixel_id, "snap_app_id": snap_app_id} if self.events_name_assets else {})

    @abstractmethod
    def request(self, asset_id: str, records: bytes, token: str, *, validate: bool) -> WireRequest:
        """Wrap records into a request.

        Args:
            asset_id: the pixel or app that all of them belong to.
            records: JSON objects, separated by commas.
            token: the access token.
            validate: whether the request is for the validate endpoint, which counts nothing.
        """

    @abstractmethod
    def refused_records(self, body: Mapping[str, Any]) -> Mapping[int, object]:
        """Return the reasons of the records that an answer names, unparsed, by position from 0.

        Raises:
            ValueError: the positions cannot be read.
        """

    @abstractmethod
    def test_event(self, pixel_id: str, moment: datetime, test_event_code: str | None = None) -> str:
        """Return the JSON of a PAGE_VIEW that belongs to no person and that Snap accepts.

        Args:
            pixel_id: the pixel of the page.
            moment: the event's time.
            test_event_code: from Events Manager, if the version has such codes; Snap shows the event there and does not
                count it (snap-api.md, section 3.1).
        """
