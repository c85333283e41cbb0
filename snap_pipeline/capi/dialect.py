"""What differs between the versions of the Conversions API. Each version is one object: `v3.py` and `v2.py`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import Any

TEST_USER_AGENT = "Mozilla/5.0 (compatible; snap_pipeline connection test)"
TEST_IP_ADDRESS = "192.0.2.1"
"""An address of the range that documentation uses; nobody has it."""
TEST_PAGE_URL = "https://example.com/"


@dataclass(frozen=True, repr=False)
class WireRequest:
    """An HTTP request without its host. It has no repr, since it carries the access token.

    Attributes:
        path: with the query.
        headers: beside those that every request has.
        body: JSON.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


class Dialect(ABC):
    """One version of the Conversions API.

    Attributes:
        name: as destinations keep it, and as `sql/wire_<name>.sql` bears it.
        events_name_assets: whether each event names its pixel or app; otherwise the request does.
        has_web_age_limit: whether web and app events have an age limit of their own (snap-api.md, section 3.8).
        hashes_devices: whether IP addresses and advertising ids go out as digests (snap-api.md, section 6).
        needs_store_app_id: whether app events without the app store's id are refused.
        answers_by_record: whether an answer that refuses some records means that the others were taken.
        has_test_event_codes: whether Events Manager's codes for test events are known to it.
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
        """The query that yields position, event id and JSON body of the payloads that are `due`."""
        file = resources.files("snap_pipeline.capi").joinpath("sql", f"wire_{self.name}.sql")
        return file.read_text(encoding="utf-8")

    def projection_parameters(self, pixel_id: str, snap_app_id: str | None) -> Mapping[str, str | None]:
        """Return the parameters of the projection: DuckDB takes none that a query does not use."""
        return {"pixel_id": pixel_id, "snap_app_id": snap_app_id} if self.events_name_assets else {}

    @abstractmethod
    def request(self, asset_id: str, records: bytes, token: str, *, validate: bool) -> WireRequest:
        """Wrap records into a request.

        Args:
            asset_id: the pixel or app that all of them belong to.
            records: JSON objects, parted by commas.
            token: the access token.
            validate: for the endpoint that checks and counts nothing.
        """

    @abstractmethod
    def refused_records(self, body: Mapping[str, Any]) -> Mapping[int, object]:
        """Return the reasons, as they came, by position from 0 of the records that an answer names.

        Raises:
            ValueError: what names them cannot be read.
        """

    @abstractmethod
    def test_event(self, pixel_id: str, moment: datetime, test_event_code: str | None = None) -> str:
        """Return the JSON of a PAGE_VIEW of nobody, which Snap takes.

        Args:
            pixel_id: the pixel whose page was viewed.
            moment: the event's time.
            test_event_code: from Events Manager, where the version knows such codes; it shows the event there and keeps
                it from being counted (snap-api.md, section 3.1).
        """
