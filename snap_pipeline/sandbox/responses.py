"""Snap's answers to posted events: who may post, what is refused, what is stored (snap-api.md, sections 2.3, 3.9, 10).

Faults that replace an answer are in `faults.py`, the checks of one event in `event_rules.py`.
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
        validate: whether it goes to the endpoint that checks and counts nothing.
        asset_id: of v3's path, or of v2's first record, in lower case.
        token: as sent.
        body: as sent.
        records: of the body; None where it cannot be read as Snap's envelope.
    """

    api_version: str
    validate: bool
    asset_id: str | None
    token: str | None
    body: bytes = field(repr=False)
    records: Sequence[Any] | None = field(repr=False)


@dataclass(frozen=True)
class Examined:
    """A body's records by position, from 0."""

    accepted: list[tuple[int, Conversion]]
    refused: list[tuple[int, EventRefused]]


def invalid_token() -> Response:
    """401, for an unknown token and for another organization's asset alike."""
    return JSONResponse({"status": "INVALID", "reason": "Invalid access token"}, 401)


def answer(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    """Processes a post as Snap would, and stores what is to be stored."""
    if not sandbox.access.knows(post.token):
        return invalid_token()
    if post.api_version == "v3":
        if not sandbox.access.owns(post.asset_id):
            return invalid_token()
        return _answer_v3(sandbox, post, fault)
    return _answer_v2(sandbox, post, fault)


def _body_problem(post: Post) -> EventRefused | None:
    if post.records is None:
        expected = "an object with a list `data`" if post.api_version == "v3" else "an event or a list of events"
        return EventRefused("INVALID_BODY", f"The body is not JSON, or not {expected}")
    if not 1 <= len(post.records) <= MAXIMUM_EVENTS:
        return EventRefused("INVALID_BODY", f"A request takes 1 to {MAXIMUM_EVENTS} events, not {len(post.records)}")
    return None


def _examine(post: Post, fault: Fault, read: Callable[[Any], Conversion]) -> Examined:
    examined = Examined([], [])
    for position, record in enumerate(post.records or ()):
        try:
            conversion = read(record)
            if fault.refuse_all or conversion.event_id in fault.refuse_event_ids:
                raise EventRefused("EVENT_REFUSED", "Event could not be processed")  # noqa: TRY301 - refused as what read() finds is
        except EventRefused as problem:
            examined.refused.append((position, problem))
        else:
            examined.accepted.append((position, conversion))
    return examined


def _answer_v3(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    now, asset_id = sandbox.now(), post.asset_id or ""
    problem = _body_problem(post)
    if problem is not None:
        return _refusal_v3(problem, None)
    examined = _examine(post, fault, partial(read_v3, asset_id=asset_id, now=now, rules=sandbox.options.rules))
    problem = _wrong_kind(sandbox, asset_id, examined)
    if problem is not None:
        return _refusal_v3(problem, None)
    if post.validate:
        return _validated_v3(sandbox, post, examined, now)
    if examined.refused and not fault.partial_acceptance:
        examined.accepted.clear()
    records = post.records or ()
    tests = [position for position, _ in examined.accepted if records[position].get(TEST_EVENT_CODE)]
    if tests:
        # Such an event shows in Events Manager's test view and is not counted (snap-api.md, section 3.1).
        _remember_tests(sandbox, replace(post, records=[records[i] for i in tests]), Examined([], []), now)
        examined.accepted[:] = [each for each in examined.accepted if each[0] not in tests]
    sandbox.store.count(post.body, examined.accepted, now, api_version="v3")
    if examined.refused:
        position, problem = examined.refused[0]
        return _refusal_v3(problem, None if fault.withhold_position else position + 1)
    return JSONResponse({"status": "VALID", "reason": "Events have been processed successfully."})


def _wrong_kind(sandbox: Sandbox, asset_id: str, examined: Examined) -> EventRefused | None:
    """Events of apps go to a Snap App ID, others to a pixel, never both in one request (snap-api.md, section 3.1)."""
    kinds = {conversion.action_source == MOBILE_APP for _, conversion in examined.accepted}
    if len(kinds) > 1:
        return EventRefused("ASSET_MISMATCH", "App events and web events must not be mixed in one request")
    if any(not sandbox.access.takes(asset_id, app=app) for app in kinds):
        return EventRefused("ASSET_MISMATCH", "App events belong to a Snap App ID, all others to a Pixel ID")
    return None


def _errors(problem: EventRefused) -> dict[str, list[str]]:
    return {"codes": [problem.code], "error_msgs": [problem.message]}


def _refusal_v3(problem: EventRefused, event: int | None) -> Response:
    named = {} if event is None else {"event": event}
    return JSONResponse({"status": "INVALID", **named, "errors": _errors(problem)}, 400)


def _validated_v3(sandbox: Sandbox, post: Post, examined: Examined, now: int) -> Response:
    _remember_tests(sandbox, post, examined, now)
    if not examined.refused:
        reason = "Events have been validated successfully."
        return JSONResponse({"status": "VALID", "test_event": True, "reason": reason, "event_logs": []})
    logs = [
        {"event": position + 1, "status": "INVALID", "errors": _errors(problem), "warnings": []}
        for position, problem in examined.refused
    ]
    reason = examined.refused[0][1].message
    return JSONResponse({"status": "INVALID", "test_event": True, "reason": reason, "event_logs": logs}, 400)


def _answer_v2(sandbox: Sandbox, post: Post, fault: Fault) -> Response:
    now = sandbox.now()
    problem = _body_problem(post)
    if problem is not None:
        return JSONResponse({"status": "FAILED", "reason": problem.message, "error_records": []}, 400)
    examined = _examine(post, fault, partial(_read_owned_v2, sandbox, now))
    if examined.refused and fault.withhold_position:
        reason = examined.refused[0][1].message
        return JSONResponse({"status": "FAILED", "reason": reason, "error_records": []}, 400)
    if post.validate:
        _remember_tests(sandbox, post, examined, now)
    else:
        sandbox.store.count(post.body, examined.accepted, now, api_version="v2")
    return _words_v2(sandbox, post, examined)


def _read_owned_v2(sandbox: Sandbox, now: int, record: Any) -> Conversion:
    conversion = read_v2(record, now, sandbox.options.rules)
    asset_id = conversion.asset_id
    if not (
        sandbox.access.owns(asset_id) and sandbox.access.takes(asset_id, app=conversion.action_source == MOBILE_APP)
    ):
        raise EventRefused("ASSET_MISMATCH", "Invalid pixel_id or snap_app_id for this access token")
    return conversion


def _words_v2(sandbox: Sandbox, post: Post, examined: Examined) -> Response:
    """Good records are stored beside bad ones; what Snap calls that is not known (snap-api.md, section 12, row 2)."""
    by_reason: dict[str, list[int]] = {}
    for position, problem in examined.refused:
        by_reason.setdefault(problem.message, []).append(position)
    words: dict[str, Any] = {
        "status": "SUCCESS",
        "reason": "All records processed",
        "error_records": [{"reason": reason, "record_indexes": indexes} for reason, indexes in by_reason.items()],
    }
    if examined.refused:
        words["status"] = sandbox.options.partial_status if examined.accepted else "FAILED"
        words["reason"] = "Some records could not be processed" if examined.accepted else "No record could be processed"
    if post.validate:
        words |= {"warning_records": [], "validated_fields": _validated_fields(post.records or ())}
    return JSONResponse(words, 200 if examined.accepted else 400)


def _validated_fields(records: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "record_index": position,
            "validated_fields": {name: str(record[name]) for name in VALIDATED_V2_FIELDS if name in record},
        }
        for position, record in enumerate(records)
        if isinstance(record, dict)
    ]


def _remember_tests(sandbox: Sandbox, post: Post, examined: Examined, now: int) -> None:
    problems = dict(examined.refused)
    for position, record in enumerate(post.records or ()):
        if isinstance(record, dict):
            problem = problems.get(position)
            sandbox.tests.append(
                ValidatedEvent(post.api_version, post.asset_id, now, record, problem.message if problem else None)
            )
