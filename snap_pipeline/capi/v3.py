"""Version 3 of the Conversions API (snap-api.md, section 3)."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import ConfigDict, TypeAdapter

from snap_pipeline.capi.dialect import TEST_IP_ADDRESS, TEST_PAGE_URL, TEST_USER_AGENT, Dialect, WireRequest

_POSITION: TypeAdapter[int | None] = TypeAdapter(int | None, config=ConfigDict(strict=True))


class V3(Dialect):
    """Version 3: the asset and the token are in the URL, the events in an envelope."""

    name = "v3"
    events_name_assets = False
    has_web_age_limit = True
    hashes_devices = False
    needs_store_app_id = False
    answers_by_record = False
    has_test_event_codes = True

    def request(self, asset_id: str, records: bytes, token: str, *, validate: bool) -> WireRequest:
        """Put the records into `data`, and the token into the query (snap-api.md, section 3.1)."""
        path = f"/v3/{asset_id}/events" + "/validate" * validate
        return WireRequest(f"{path}?{urlencode({'access_token': token})}", {}, b'{"data":[%b]}' % records)

    def refused_records(self, body: Mapping[str, Any]) -> Mapping[int, object]:
        """Return the record in the answer's `event`, which counts from 1; 0 names none (snap-api.md, section 3.9)."""
        position = _POSITION.validate_python(body.get("event"))
        return {position - 1: None} if position else {}

    def test_event(self, pixel_id: str, moment: datetime, test_event_code: str | None = None) -> str:  # noqa: ARG002 - as v2 needs it
        """Return a page view with the test event code, if there is one."""
        event = {
            "event_name": "PAGE_VIEW",
            "event_time": int(moment.timestamp() * 1000),
            "action_source": "WEB",
            "event_source_url": TEST_PAGE_URL,
            "event_id": str(uuid.uuid4()),
            "user_data": {"client_ip_address": TEST_IP_ADDRESS, "client_user_agent": TEST_USER_AGENT},
        }
        return json.dumps(event | ({"test_event_code": test_event_code} if test_event_code else {}))
