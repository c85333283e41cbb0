"""Fault injection: failures that the sandbox produces on demand.

A fault with a count applies to that many requests: one such fault per request, in the order in which they were added. A
fault without a count applies to every request until the next reset. If several apply to a request, the later one
overrides the earlier one field by field, and a fault with a count overrides one without.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

HTML = "<!doctype html><html><head><title>Proxy</title></head><body><h1>Please sign in</h1></body></html>"


class Fault(BaseModel):
    """A fault, and the requests that it applies to.

    Attributes:
        path: requests to the events endpoints, to the validate endpoints, or both.
        asset_id: only requests for this asset; v2's first record names it.
        token: only requests with this access token.
        count: the number of requests; None means until the next reset.
        status: HTTP status of an answer that ignores the events.
        retry_after: seconds, as a header of the answer to `status` or of the rate limit's 429.
        html: the answer is a web page, with HTTP 200 unless `status` is set.
        empty_body: the same with an empty body.
        endless_body: the same with a body that never ends.
        redirect: the Location of a 307, or of `status`.
        invalid_200: HTTP 200 with the status INVALID; nothing is stored.
        delay_seconds: wait after the events are stored and before the answer.
        drop_before_storing: the connection is closed without an answer, nothing is stored.
        drop_after_storing: the connection is closed without an answer, the events are stored.
        refuse_event_ids: events that are refused, even if they are valid.
        refuse_all: every event is refused.
        partial_acceptance: v3 stores the valid events of a batch with an invalid one.
        withhold_position: refusals do not name the event; v2 then stores nothing of the batch, as v3 does.
        requests_per_second: limit of each token, above which the answer is 429; 0 is no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Literal["events", "validate", "any"] = "any"
    asset_id: str | None = None
    token: SecretStr | None = None
    count: int | None = Field(default=None, ge=1)
    status: int | None = Field(default=None, ge=200, le=599)
    retry_after: float | None = None
    html: bool = False
    empty_body: bool = False
    endless_body: bool = False
    redirect: str | None = None
    invalid_200: bool = False
    delay_seconds: float = Field(default=0.0, ge=0)
    drop_before_storing: bool = False
    drop_after_storing: bool = False
    refuse_event_ids: frozenset[str] = frozenset()
    refuse_all: bool = False
    partial_acceptance: bool = False
    withhold_position: bool = False
    requests_per_second: float = Field(default=0.0, ge=0)

    def matches(self, *, validate: bool, asset_id: str | None, token: str | None) -> bool:
        """Tell whether the fault applies to a request."""
        return (
            self.path in ("any", "validate" if validate else "events")
            and (self.asset_id is None or self.asset_id.lower() == asset_id)
            and (self.token is None or self.token.get_secret_value() == token)
        )

    def describe(self) -> dict[str, Any]:
        """Return the fields that were set, with the token masked."""
        return self.model_dump(mode="json", exclude_unset=True)


@dataclass
class _Planned:
    fault: Fault
    remaining: int | None


class FaultPlan:
    """The planned faults.

    Args:
        permanent: applies to every request, is overridden by all others, and survives `clear`.
    """

    def __init__(self, permanent: Fault) -> None:
        self._permanent = permanent
        self._planned: list[_Planned] = []

    def add(self, fault: Fault) -> None:
        """Add a fault after those that are planned already."""
        self._planned.append(_Planned(fault, fault.count))

    def clear(self) -> None:
        """Remove all faults except the permanent one."""
        self._planned.clear()

    def take(self, *, validate: bool, asset_id: str | None, token: str | None) -> Fault:
        """Return the merged faults of one request, and count the request for a fault with a count."""
        matching = [
            planned
            for planned in self._planned
            if planned.fault.matches(validate=validate, asset_id=asset_id, token=token)
        ]
        effect = self._permanent
        for planned in matching:
            if planned.remaining is None:
                effect = _merge_faults(effect, planned.fault)
        counted = next((planned for planned in matching if planned.remaining is not None), None)
        if counted is not None and counted.remaining is not None:
            counted.remaining -= 1
            if counted.remaining == 0:
                self._planned.remove(counted)
            effect = _merge_faults(effect, counted.fault)
        return effect

    def describe(self) -> list[dict[str, Any]]:
        """Return the planned faults, with the number of requests that each has left."""
        return [planned.fault.describe() | {"remaining": planned.remaining} for planned in self._planned]


def _merge_faults(below: Fault, above: Fault) -> Fault:
    return below.model_copy(update={name: getattr(above, name) for name in above.model_fields_set})


def fault_response(fault: Fault) -> Response | None:
    """Return the answer of a fault in place of Snap's; None if the request is to be processed."""
    status = fault.status or 200
    if fault.redirect is not None:
        return Response(status_code=fault.status or 307, headers={"Location": fault.redirect})
    if fault.html:
        return HTMLResponse(HTML, status)
    if fault.endless_body:
        return StreamingResponse(_endless(), status, media_type="application/json")
    if fault.empty_body:
        return Response(status_code=status)
    if fault.invalid_200:
        return JSONResponse({"status": "INVALID", "reason": "Events could not be processed"})
    return _status_response(fault) if fault.status is not None else None


def too_many_requests(retry_after: float | None) -> Response:
    """Return Snap's 429: no body, and no header except the one that a fault sets (docs/snap-api.md, section 10)."""
    return Response(status_code=429, headers=_retry_after(retry_after))


def _status_response(fault: Fault) -> Response:
    status = fault.status or 200
    if status == 429:
        return too_many_requests(fault.retry_after)
    reason = "Invalid access token" if status == 401 else HTTPStatus(status).phrase
    headers = _retry_after(fault.retry_after)
    if status >= 500:
        return Response(reason, status, headers, media_type="text/plain")
    return JSONResponse({"status": "INVALID", "reason": reason}, status, headers)


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": f"{seconds:g}"}


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65_536
        await asyncio.sleep(0.001)
