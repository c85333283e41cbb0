"""The event of a connection test: a PAGE_VIEW of nobody, which says of itself that it is a test."""

import hashlib
import json
import uuid
from datetime import datetime

from snap_pipeline.capi.answers import ApiVersion

USER_AGENT = "Mozilla/5.0 (compatible; snap_pipeline connection test)"
IP_ADDRESS = "192.0.2.1"
"""Of the range that documentation uses; nobody has it."""
PAGE_URL = "https://example.com/"


def probe_event(version: ApiVersion, pixel_id: str, moment: datetime, test_event_code: str | None = None) -> str:
    """The JSON of a PAGE_VIEW that Snap takes.

    Args:
        version: of the API.
        pixel_id: whose page it is; v2 carries it in the event.
        moment: the event's time.
        test_event_code: v3's, from Events Manager; it shows the event there and keeps it from being counted
            (snap-api.md, section 3.1).
    """
    milliseconds, event_id = int(moment.timestamp() * 1000), str(uuid.uuid4())
    if version == "v2":
        return json.dumps(
            {
                "pixel_id": pixel_id,
                "event_type": "PAGE_VIEW",
                "event_conversion_type": "WEB",
                "timestamp": str(milliseconds),
                "client_dedup_id": event_id,
                "page_url": PAGE_URL,
                "hashed_ip_address": hashlib.sha256(IP_ADDRESS.encode()).hexdigest(),
                "user_agent": USER_AGENT,
                "test_mode": True,
            }
        )
    event = {
        "event_name": "PAGE_VIEW",
        "event_time": milliseconds,
        "action_source": "WEB",
        "event_source_url": PAGE_URL,
        "event_id": event_id,
        "user_data": {"client_ip_address": IP_ADDRESS, "client_user_agent": USER_AGENT},
    }
    return json.dumps(event | ({"test_event_code": test_event_code} if test_event_code else {}))
