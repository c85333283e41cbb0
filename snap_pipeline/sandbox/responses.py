"""Snap's answers to posted events: access, refusals and storage (docs/snap-api.md, sections 2.3, 3.9 and 10).

`faults.py` has the faults that replace an answer, `event_rules.py` the checks of one event.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from snap_pipeline.sandbox.event_rules import Conversion, EventRefused, read_v2, read_v3
from snap_pipeline.sandbox.faults import Fault
from snap_pipeline.sandbox.names import MOBILE_APP
from snap_pipeline.sandbox.sandbox import Sandbox, ValidatedEvent

MAXIMUM_EVENTS = 2_000
TEST_EVENT_CODE = "test_event_code"
VALIDATED_V2_FIELDS = [
    "pixel_id",
    "snap_app_id",
    "currency",
    "price",
    "event_conversion_type",
    "event_type",
    "timestamp",
    "hashed_email",
    "hashed_phone",
    "hashed_mobile_ad_id",
    "hashed_ip_address",
]


@dataclass(frozen=True)
class Post:
    """A request that posts events.

    Attributes:
        api_version: v3 or v2.
        validate: True for the validate endpoint, which counts nothing.
        asset_id: of v3's path, or of v2's first record, in lower case.
        token: as sent.
        body: as sent.
        records: of the body; None if it cannot be parsed as Snap's envelope.
    """

    api_version: str
    validate: bool
    asset_id: str | None
    token: str | None
    body: bytes = field(repr=False)
    records: Sequence[Any] | None = field(repr=False)


@dataclass(frozen=True)
class CheckedBatch:
    """The accepted and refused records of a body, each with its position, from 0."""

    accepted: list[tuple[int, Conversion]]
    refused: list[tuple[int, EventRefused]]


def invalid_token() -> Response:
    """Return 401: the same answer for an unknown token and for another organization's asset."""
    return JSONResponse({"status": "INVALID", "reason": "Invalid access token"}, 401)


def answer(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    """Process posted events as Snap would, and store the accepted ones."""
    if not sandbox.access.is_valid_token(post.token):
        return invalid_token()
    if post.api_version == "v3":
        if not sandbox.access.owns_asset(post.asset_id):
            return invalid_token()
        return _answer_v3(sandbox, post, fault)
    return _answer_v2(sandbox, post, fault)


def _check_body(post: Post) -> EventRefused | None:
    if post.records is None:
        expected = "an object with a list `data`" if post.api_version == "v3" else "an event or a list of events"
        return EventRefused("INVALID_BODY", f"The body is not JSON, or not {expected}")
    if not 1 <= len(post.records) <= MAXIMUM_EVENTS:
        return EventRefused("INVALID_BODY", f"A request takes 1 to {MAXIMUM_EVENTS} events, not {len(post.records)}")
    return None


def _check_records(post: Post, fault: Fault, read: Callable[[Any], Conversion]) -> CheckedBatch:
    batch = CheckedBatch([], [])
    for position, record in enumerate(post.records or ()):
        try:
            conversion = read(record)
            if fault.refuse_all or conversion.event_id in fault.refuse_event_ids:
                raise EventRefused("EVENT_REFUSED", "Event could not be processed")  # noqa: TRY301 - handled like an error of read()
        except EventRefused as problem:
            batch.refused.append((position, problem))
        else:
            batch.accepted.append((position, conversion))
    return batch


def _answer_v3(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    now, asset_id = sandbox.now(), post.asset_id or ""
    problem = _check_body(post)
    if problem is not None:
        return _refusal_v3(problem, None)
    batch = _check_records(post, fault, partial(read_v3, asset_id=asset_id, now=now, rules=sandbox.options.rules))
    problem = _asset_mismatch(sandbox, asset_id, batch)
    if problem is not None:
        return _refusal_v3(problem, None)
    if post.validate:
        return _validated_v3(sandbox, post, batch, now)
    if batch.refused and not fault.partial_acceptance:
        batch.accepted.clear()
    records = post.records or ()
    tests = [position for position, _ in batch.accepted if records[position].get(TEST_EVENT_CODE)]
    if tests:
        # Such an event shows in Events Manager's test view and is not counted (docs/snap-api.md, section 3.1).
        _store_tests(sandbox, replace(post, records=[records[i] for i in tests]), CheckedBatch([], []), now)
        batch.accepted[:] = [each for each in batch.accepted if each[0] not in tests]
    sandbox.store.count(post.body, batch.accepted, now, api_version="v3")
    if batch.refused:
        position, problem = batch.refused[0]
        return _refusal_v3(problem, None if fault.withhold_position else position + 1)
    return JSONResponse({"status": "VALID", "reason": "Events have been processed successfully."})


def _asset_mismatch(sandbox: Sandbox, asset_id: str, batch: CheckedBatch) -> EventRefused | None:
    """Check that app events go to a Snap App ID and others to a pixel, never mixed (docs/snap-api.md, section 3.1)."""
    kinds = {conversion.action_source == MOBILE_APP for _, conversion in batch.accepted}
    if len(kinds) > 1:
        return EventRefused("ASSET_MISMATCH", "App events and web events must not be mixed in one request")
    if any(not sandbox.access.takes_events(asset_id, app=app) for app in kinds):
        return EventRefused("ASSET_MISMATCH", "App events belong to a Snap App ID, all others to a Pixel ID")
    return None


def _errors(problem: EventRefused) -> dict[str, list[str]]:
    return {"codes": [problem.code], "error_msgs": [problem.message]}


def _refusal_v3(problem: EventRefused, event: int | None) -> Response:
    named = {} if event is None else {"event": event}
    return JSONResponse({"status": "INVALID", **named, "errors": _errors(problem)}, 400)


def _validated_v3(sandbox: Sandbox, post: Post, batch: CheckedBatch, now: int) -> Response:
    _store_tests(sandbox, post, batch, now)
    if not batch.refused:
        reason = "Events have been validated successfully."
        return JSONResponse({"status": "VALID", "test_event": True, "reason": reason, "event_logs": []})
    logs = [
        {"event": position + 1, "status": "INVALID", "errors": _errors(problem), "warnings": []}
        for position, problem in batch.refused
    ]
    reason = batch.refused[0][1].message
    return JSONResponse({"status": "INVALID", "test_event": True, "reason": reason, "event_logs": logs}, 400)


def _answer_v2(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    now = sandbox.now()
    problem = _check_body(post)
    if problem is not None:
        return JSONResponse({"status": "FAILED", "reason": problem.message, "error_records": []}, 400)
    batch = _check_records(post, fault, partial(_read_owned_v2, sandbox, now))
    if batch.refused and fault.withhold_position:
        reason = batch.refused[0][1].message
        return JSONResponse({"status": "FAILED", "reason": reason, "error_records": []}, 400)
    if post.validate:
        _store_tests(sandbox, post, batch, now)
    else:
        sandbox.store.count(post.body, batch.accepted, now, api_version="v2")
    return _response_v2(sandbox, post, batch)


def _read_owned_v2(sandbox: Sandbox, now: int, record: Any) -> Conversion:
    conversion = read_v2(record, now, sandbox.options.rules)
    asset_id = conversion.asset_id
    if not (
        sandbox.access.owns_asset(asset_id)
        and sandbox.access.takes_events(asset_id, app=conversion.action_source == MOBILE_APP)
    ):
        raise EventRefused("ASSET_MISMATCH", "Invalid pixel_id or snap_app_id for this access token")
    return conversion


def _response_v2(sandbox: Sandbox, post: Post, batch: CheckedBatch) -> Response:
    """Build v2's answer, whose status for a mixed batch is unknown (docs/snap-api.md, section 12, row 2)."""
    by_reason: dict[str, list[int]] = {}
    for position, problem in batch.refused:
        by_reason.setdefault(problem.message, []).append(position)
    response: dict[str, Any] = {
        "status": "SUCCESS",
        "reason": "All records processed",
        "error_records": [{"reason": reason, "record_indexes": indexes} for reason, indexes in by_reason.items()],
    }
    if batch.refused:
        response["status"] = sandbox.options.partial_status if batch.accepted else "FAILED"
        response["reason"] = "Some records could not be processed" if batch.accepted else "No record could be processed"
    if post.validate:
        response |= {"warning_records": [], "validated_fields": _validated_fields(post.records or ())}
    return JSONResponse(response, 200 if batch.accepted else 400)


def _validated_fields(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "record_index": position,
            "validated_fields": {name: str(record[name]) for name in VALIDATED_V2_FIELDS if name in record},
        }
        for position, record in enumerate(records)
        if isinstance(record, dict)
    ]


def _store_tests(sandbox: Sandbox, post: Post, batch: CheckedBatch, now: int) -> None:
    problems = dict(batch.refused)
    for position, record in enumerate(post.records or ()):
        if isinstance(record, dict):
            problem = problems.get(position)
            sandbox.tests.append(
                ValidatedEvent(post.api_version, post.asset_id, now, record, problem.message if problem else None)
            )
