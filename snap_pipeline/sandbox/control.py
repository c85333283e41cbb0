"""The sandbox's own endpoints under `/_sandbox`: counted events, requests, faults, clock and browser pixel.

They need no token, since the sandbox listens on this machine only.
"""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snap_pipeline.sandbox.event_rules import Conversion, EventRefused, epoch_milliseconds, identifier
from snap_pipeline.sandbox.event_store import describe_ids, parse_records
from snap_pipeline.sandbox.faults import Fault
from snap_pipeline.sandbox.names import WEB
from snap_pipeline.sandbox.sandbox import Sandbox


def routes() -> list[Route]:
    """Return the routes under `/_sandbox`."""
    return [
        Route("/_sandbox/events", list_events),
        Route("/_sandbox/requests", list_requests),
        Route("/_sandbox/reset", reset, methods=["POST"]),
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", list_faults),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/clock", set_clock, methods=["POST"]),
        Route("/_sandbox/pixel", pixel_hits, methods=["POST"]),
    ]


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _bad_request(reason: str) -> Response:
    return JSONResponse({"error": reason}, 400)


async def list_events(request: Request) -> Response:
    """List the counted events in order of arrival, for one `asset_id`, or with `fields=ids` only ids and counts."""
    store = _sandbox(request).store
    asset_id = request.query_params.get("asset_id")
    describe = describe_ids if request.query_params.get("fields") == "ids" else store.describe
    return JSONResponse([describe(event) for event in store.of_asset(asset_id.lower() if asset_id else None)])


async def list_requests(request: Request) -> Response:
    """List all requests to Snap's endpoints, with totals."""
    return JSONResponse(_sandbox(request).journal.describe())


async def reset(request: Request) -> Response:
    """Return to the initial state."""
    _sandbox(request).reset()
    return Response(status_code=204)


async def add_fault(request: Request) -> Response:
    """Add a fault; the body is JSON with the fields of `faults.Fault`."""
    try:
        fault = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        # The input is left out: it may hold a token.
        return _bad_request("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    _sandbox(request).faults.add(fault)
    return Response(status_code=204)


async def list_faults(request: Request) -> Response:
    """List the planned faults, with the number of requests that each has left."""
    return JSONResponse(_sandbox(request).faults.describe())


async def clear_faults(request: Request) -> Response:
    """Remove all planned faults."""
    _sandbox(request).faults.clear()
    return Response(status_code=204)


async def set_clock(request: Request) -> Response:
    """Set the clock to a time, `{"now": "2026-11-23T14:00:00Z"}`, or with null to real time."""
    try:
        moment = json.loads(await request.body())["now"]
        fixed = None if moment is None else datetime.fromisoformat(moment)
    except (ValueError, KeyError, TypeError):
        return _bad_request('Expected {"now": an ISO 8601 time, or null}')
    _sandbox(request).fixed_now = fixed if fixed is None or fixed.tzinfo else fixed.replace(tzinfo=UTC)
    return Response(status_code=204)


async def pixel_hits(request: Request) -> Response:
    """Count browser events from the pixel, one object or a list, deduplicated together with the API's events.

    Fields as in docs/snap-api.md, section 9, with the pixel's id as `pixel_id` or `asset_id`, its event's `name`, and
    an optional epoch `timestamp`.
    """
    sandbox, body = _sandbox(request), await request.body()
    now = sandbox.now()
    try:
        hits = [_parse_hit(hit, now) for hit in parse_records(json.loads(body))]
    except (ValueError, EventRefused) as problem:
        return _bad_request(str(problem))
    sandbox.store.count(body, list(enumerate(hits)), now, source="pixel")
    return Response(status_code=204)


def _parse_hit(hit: Any, now: int) -> Conversion:
    if not isinstance(hit, dict):
        raise EventRefused("INVALID_FIELD", "A pixel hit must be an object")
    asset_id, name = hit.get("pixel_id") or hit.get("asset_id"), hit.get("name")
    if not asset_id or not name:
        raise EventRefused("MISSING_REQUIRED_FIELD", "A pixel hit needs pixel_id and name")
    moment = epoch_milliseconds(hit, "timestamp") if hit.get("timestamp") else now
    event_id, order_id = identifier(hit.get("client_dedup_id")), identifier(hit.get("transaction_id"))
    return Conversion(str(asset_id).lower(), str(name).upper(), WEB, moment, event_id, order_id)
