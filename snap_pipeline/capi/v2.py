"""Version 2 of the Conversions API (snap-api.md, section 2). Snap plans to switch it off."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from snap_pipeline.capi.dialect import TEST_IP_ADDRESS, TEST_PAGE_URL, TEST_USER_AGENT, Dialect, WireRequest


class _Record(BaseModel):
    """An entry of `error_records` (snap-api.md, section 2.3)."""

    model_config = ConfigDict(strict=True)

    reason: Any = None
    record_indexes: list[int] | None = None


_RECORDS: TypeAdapter[list[_Record] | None] = TypeAdapter(list[_Record] | None)


class V2(Dialect):
    """Version 2: flat events that each name their asset, in an array; the token is in a header."""

    name = "v2"
    events_name_assets = True
    has_web_age_limit = False
    hashes_devices = True
    needs_store_app_id = True
    answers_by_record = True
    has_test_event_codes = False

    def request(self, asset_id: str, records: bytes, token: str, *, validate: bool) -> WireRequest:  # noqa: ARG002 - as v3 needs it
        """Put the records into an array (snap-api.md, section 2.1)."""
        path = "/v2/conversion" + "/validate" * validate
        return WireRequest(path, {"Authorization": f"Bearer {token}"}, b"[%b]" % records)

    def refused_records(self, body: Mapping[str, Any]) -> Mapping[int, object]:
        """Return the records in the answer's `record_indexes`, which count from 0 (snap-api.md, section 2.3)."""
        refused: dict[int, object] = {}
        for record in _RECORDS.validate_python(body.get("error_records")) or []:
            refused |= dict.fromkeys(record.record_indexes or [], record.reason)
        return refused

    def test_event(self, pixel_id: str, moment: datetime, test_event_code: str | None = None) -> str:  # noqa: ARG002 - as v3 needs it
        """Return a page view that is marked as a test."""
        return json.dumps(
            {
                "pixel_id": pixel_id,
                "event_type": "PAGE_VIEW",
                "event_conversion_type": "WEB",
                "timestamp": str(int(moment.timestamp() * 1000)),
                "client_dedup_id": str(uuid.uuid4()),
                "page_url": TEST_PAGE_URL,
                "hashed_ip_address": hashlib.sha256(TEST_IP_ADDRESS.encode()).hexdigest(),
                "user_agent": TEST_USER_AGENT,
                "test_mode": True,
            }
        )
