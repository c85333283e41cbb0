"""Snap's endpoints: parsing of requests, faults, and the logs and stats of test events.

`responses.py` answers posted events; `control.py` has the sandbox's own endpoints.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snap_pipeline.sandbox.event_rules import identifier
from snap_pipeline.sandbox.faults import Fault, fault_response, too_many_requests
from snap_pipeline.sandbox.journal import RequestRecord, fingerprint
from snap_pipeline.sandbox.quality_scores import score_events
from snap_pipeline.sandbox.responses import Post, answer, invalid_token
from snap_pipeline.sandbox.sandbox import Sandbox, ValidatedEvent

HOUR_MS = 3_600_000
TRANSPORT = "snap_pipeline.sandbox.transport"
"""The ASGI extension in which the server passes a connection's transport, so that it can be dropped."""


def routes() -> list[Route]:
    """Return the routes of Snap's API (docs/snap-api.md, sections 2.1, 3.1 and 7)."""
    return [
        Route("/v3/{asset_id}/events", post_events, methods=["POST"]),
        Route("/v3/{asset_id}/events/validate", post_events, methods=["POST"]),
        Route("/v3/{asset_id}/events/validate/logs", validation_logs),
        Route("/v3/{asset_id}/events/validate/stats", validation_stats),
        Route("/v2/conversion", post_events, methods=["POST"]),
        Route("/v2/conversion/validate", post_events, methods=["POST"]),
        Route("/v2/conversion/validate/logs", validation_logs),
        Route("/v2/conversion/validate/stats", validation_stats),
        Route("/v1/pixels/{asset_id}/event_quality_scores", quality_scores),
        Route("/v1/mobile_apps/{asset_id}/event_quality_scores", quality_scores),
    ]


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _credentials(request: Request) -> tuple[str, str | None, str | None]:
    """Return API version, token and lower-case asset id: v3's token is in the query, all others' in a header."""
    if request.url.path.startswith("/v1/"):
        return "v1", _bearer_token(request), request.path_params["asset_id"].lower()
    if "asset_id" in request.path_params:
        return "v3", request.query_params.get("access_token"), request.path_params["asset_id"].lower()
    return "v2", _bearer_token(request), request.query_params.get("asset_id", "").lower() or None


def _bearer_token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


async def post_events(request: Request) -> Response:
    """Count or validate posted events, in either version of the API."""
    sandbox = _sandbox(request)
    post = await _parse_post(request)
    record = RequestRecord(
        method=request.method,
        path=request.url.path,
        api_version=post.api_version,
        asset_id=post.asset_id,
        events=None if post.records is None else len(post.records),
        bytes=len(post.body),
        token=fingerprint(post.token),
    )
    sandbox.journal.add(record)
    fault = sandbox.faults.take(validate=post.validate, asset_id=post.asset_id, token=post.token)
    response = _respond(sandbox, post, fault)
    # A shutdown cancels the wait; the answer then goes out early.
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(fault.delay_seconds)
    if fault.drop_before_storing or fault.drop_after_storing:
        return await _drop_connection(request)
    record.status = response.status_code
    return response


async def _parse_post(request: Request) -> Post:
    body = await request.body()
    version, token, asset_id = _credentials(request)
    records = _records(version, body)
    if version == "v2" and records and isinstance(records[0], dict):
        first = identifier(records[0].get("pixel_id")) or identifier(records[0].get("snap_app_id"))
        asset_id = first.lower() if first else None
    return Post(version, request.url.path.endswith("/validate"), asset_id, token, body, records)


def _records(version: str, body: bytes) -> list[Any] | None:
    decoded = _decode(body)
    if version == "v3":
        decoded = decoded.get("data") if isinstance(decoded, dict) else None
    elif isinstance(decoded, dict):
        decoded = [decoded]
    return decoded if isinstance(decoded, list) else None


def _decode(body: bytes) -> Any:
    """Decode a JSON body, None if it is not JSON; Python's parser takes values like NaN, which orjson refuses."""
    try:
        return orjson.loads(body)
    except ValueError:
        with suppress(ValueError, RecursionError):
            return json.loads(body)
    return None


def _respond(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    if sandbox.rate_limit.exceeded(post.token, fault.requests_per_second):
        return too_many_requests(fault.retry_after)
    if fault.drop_before_storing:
        return Response()
    return fault_response(fault) or answer(sandbox, post, fault)


async def _drop_connection(request: Request) -> Response:
    request.scope["extensions"][TRANSPORT].abort()
    # The server learns of the lost connection in its next turn, and then writes no answer.
    await asyncio.sleep(0)
    return Response()


async def validation_logs(request: Request) -> Response:
    """List the test events of the last 24 hours."""
    version, token, asset_id = _credentials(request)
    sandbox = _sandbox(request)
    if not (sandbox.access.is_valid_token(token) and sandbox.access.owns_asset(asset_id)):
        return invalid_token()
    describe = _log_v3 if version == "v3" else _log_v2
    logs = [describe(test) for test in sandbox.recent_tests(version, asset_id or "")]
    return JSONResponse({"status": "SUCCESS", "reason": "", "logs": logs})


def _log_v3(test: ValidatedEvent) -> dict[str, Any]:
    event = test.event
    return {
        "event_name": str(event.get("event_name", "")),
        "raw_event_name": str(event.get("event_name", "")),
        "event_time": str(event.get("event_time", "")),
        "action_source": event.get("action_source"),
        "asset_id": test.asset_id,
        "event_metadata": {"conversion_info": event},
        **_log_status(test),
    }


def _log_v2(test: ValidatedEvent) -> dict[str, Any]:
    event = test.event
    names = ("timestamp", "event_type", "event_conversion_type")
    return {name: event.get(name) for name in names} | {"event_metadata": event, **_log_status(test)}


def _log_status(test: ValidatedEvent) -> dict[str, Any]:
    return {
        "status": "INVALID" if test.error else "VALID",
        "integration": test.event.get("integration"),
        "error_records": [test.error] if test.error else [],
        "warning_records": [],
    }


async def validation_stats(request: Request) -> Response:
    """Count the test events and the counted events of the past hour."""
    version, token, asset_id = _credentials(request)
    sandbox = _sandbox(request)
    if not (sandbox.access.is_valid_token(token) and sandbox.access.owns_asset(asset_id)):
        return invalid_token()
    since = sandbox.now() - HOUR_MS
    tests = [test.arrived for test in sandbox.recent_tests(version, asset_id or "") if test.arrived >= since]
    live = [event.conversion.event_time for event in sandbox.store.of_asset(asset_id) if event.arrived >= since]
    return JSONResponse({"status": "SUCCESS", "reason": "", "stats": {"test": _stats(tests), "live": _stats(live)}})


async def quality_scores(request: Request) -> Response:
    """Score the events of a pixel or app; the answer's fields are the sandbox's own (docs/snap-api.md, section 7)."""
    version, token, asset_id = _credentials(request)
    sandbox = _sandbox(request)
    record = RequestRecord("GET", request.url.path, version, asset_id, None, 0, fingerprint(token))
    sandbox.journal.add(record)
    if not (sandbox.access.is_valid_token(token) and sandbox.access.owns_asset(asset_id)):
        response = invalid_token()
    else:
        response = JSONResponse(
            {"request_status": "SUCCESS", "event_quality_scores": score_events(sandbox.store, asset_id)}
        )
    record.status = response.status_code
    return response


def _stats(moments: list[int]) -> dict[str, int]:
    return {"latest_event_ts": max(moments, default=0), "event_count_past_hour": len(moments)}
