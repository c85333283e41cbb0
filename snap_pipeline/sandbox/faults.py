"""Trouble on demand: what the sandbox does to a request instead of, or besides, answering like Snap.

A fault with a count applies to so many requests, one fault a request, in the order they were asked for. A fault
without a count applies to every request until the next reset. Where several apply to a request, the later one wins
field by field, and a counted one wins over a standing one.
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
    """What goes wrong, and for which requests.

    Attributes:
        path: which requests: those to the events endpoints, to the validate endpoints, or both.
        asset_id: only requests for this asset; v2's first record names it.
        token: only requests with this access token.
        count: how many requests; None until reset.
        status: answered without looking at the events.
        retry_after: seconds, as a header of the answer to `status` or of the rate limit's 429.
        html: the body of the answer is a web page, with 200 where `status` says nothing else.
        empty_body: likewise without a body.
        endless_body: likewise a body that never ends.
        redirect: the Location of a 307, or of `status`.
        invalid_200: HTTP 200 that carries the status INVALID; nothing is stored.
        delay_seconds: waited after the events are stored and before the answer.
        drop_before_storing: the connection is closed without an answer, nothing is stored.
        drop_after_storing: the connection is closed without an answer, the events are stored.
        refuse_event_ids: events that are refused, whatever they look like.
        refuse_all: every event is refused.
        partial_acceptance: v3 stores the valid rest of a batch with an invalid event.
        withhold_position: no refusal names an event; v2 then stores nothing of the batch, as v3 does.
        requests_per_second: for each token, above which the answer is 429; 0 is no limit.
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
        """Whether the fault is meant for a request."""
        return (
            self.path in ("any", "validate" if validate else "events")
            and (self.asset_id is None or self.asset_id.lower() == asset_id)
            and (self.token is None or self.token.get_secret_value() == token)
        )

    def describe(self) -> dict[str, Any]:
        """The fields that were set, with the token masked."""
        return self.model_dump(mode="json", exclude_unset=True)


@dataclass
class _Planned:
    fault: Fault
    remaining: int | None


class FaultPlan:
    """The faults that wait for their requests.

    Args:
        standing: applies to every request, below all others, and outlives a clearing.
    """

    def __init__(self, standing: Fault) -> None:
        self._standing = standing
        self._planned: list[_Planned] = []

    def add(self, fault: Fault) -> None:
        """Plans a fault after those that are planned already."""
        self._planned.append(_Planned(fault, fault.count))

    def clear(self) -> None:
        """Forgets all faults; what the sandbox was started with stays."""
        self._planned.clear()

    def take(self, *, validate: bool, asset_id: str | None, token: str | None) -> Fault:
        """The faults of one request, as one; a counted fault among them is used up by one."""
        matching = [
            planned
            for planned in self._planned
            if planned.fault.matches(validate=validate, asset_id=asset_id, token=token)
        ]
        effect = self._standing
        for planned in matching:
            if planned.remaining is None:
                effect = _overlaid(effect, planned.fault)
        counted = next((planned for planned in matching if planned.remaining is not None), None)
        if counted is not None and counted.remaining is not None:
            counted.remaining -= 1
            if counted.remaining == 0:
                self._planned.remove(counted)
            effect = _overlaid(effect, counted.fault)
        return effect

    def describe(self) -> list[dict[str, Any]]:
        """The planned faults and how many requests each has left."""
        return [planned.fault.describe() | {"remaining": planned.remaining} for planned in self._planned]


def _overlaid(below: Fault, above: Fault) -> Fault:
    return below.model_copy(update={name: getattr(above, name) for name in above.model_fields_set})


def canned_answer(fault: Fault) -> Response | None:
    """The answer that a fault gives in place of Snap's, or None where the request is to be processed."""
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
    return _answer_of_status(fault) if fault.status is not None else None


def throttled(retry_after: float | None) -> Response:
    """429 as Snap's: no body, and no header but the one that a fault asks for (snap-api.md, section 10)."""
    return Response(status_code=429, headers=_retry_after(retry_after))


def _answer_of_status(fault: Fault) -> Response:
    status = fault.status or 200
    if status == 429:
        return throttled(fault.retry_after)
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
