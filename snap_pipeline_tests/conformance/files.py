"""Bodies of requests that land as lines: Snap gets the events in them (docs/events.md, files and lines)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snap_pipeline_tests.conformance.rows import BROWSER, IP, PAGE, Row, sha


@dataclass(frozen=True)
class BodyRow(Row):
    """A row whose event lands in a body.

    Attributes:
        key: the key of the list of events.
        body: what the body says besides them.
        beside: other items of the list.
    """

    key: str = "batch"
    body: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[Any, ...] = ()

    def landed(self, event_id: str) -> dict[str, Any]:
        """Return the body that lands."""
        return {**self.body, self.key: [super().landed(event_id), *self.beside]}


ROWS = [
    BodyRow("a body with a list of events under batch", workspace="america"),
    BodyRow("a body with a list of events under events", key="events", workspace="america"),
    BodyRow("the context of a body holds for its events",
            {"ip_address": None, "user_agent": None, "page_url": None},
            body={"context": {"ip": IP, "userAgent": BROWSER, "page": {"url": PAGE}}, "sentAt": "2026-11-20T12:30:00Z"},
            workspace="america"),
    BodyRow("an event's own words win over those of the body, in either spelling",
            {"external_id": "own", "anonymous_id": "a"},
            body={"externalId": "of the body", "timestamp": "2026-11-20T12:59:00Z", "event_id": "of the body"},
            user={"external_id": ["own"]}, workspace="america"),
    BodyRow("a body's e-mail address holds for its events",
            body={"email": "Ann@Example.com"}, user={"em": [sha("ann@example.com")]},
            v2={"hashed_email": sha("ann@example.com")}, workspace="america"),
    BodyRow("consent that a body denies is denied for each of its events",
            body={"consent": {"marketing": False}}, excluded="consent_denied", workspace="america"),
]  # fmt: skip
