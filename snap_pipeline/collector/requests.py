"""Requests as client libraries of Segment, RudderStack and Jitsu make them: paths, write keys, preflights, answers."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from snap_pipeline.collector.events import TYPES

Headers = list[tuple[bytes, bytes]]
BATCH_PATHS = frozenset({"b", "batch", "import"})
PREFIXES = ("/beacon/v1/", "/v1/", "/api/s/s2s/", "/api/s/")
PREFLIGHT_SECONDS = b"7200"


class UnknownPath(Exception):
    """A path to which no client library posts."""


def event_type_of(path: str, prefix: str) -> str | None:
    """Return the type of the events that are posted to a path; None for batches, which say it of each event.

    Args:
        path: of the request.
        prefix: the path below which the site passes requests on, such as `/_e`; it may be missing.

    Raises:
        UnknownPath: nothing is posted there.
    """
    path = path.removeprefix(prefix)
    for known in PREFIXES:
        name = path.removeprefix(known).rstrip("/")
        if path.startswith(known) and (name in TYPES or name in BATCH_PATHS):
            return TYPES.get(name)
    raise UnknownPath


def write_key_of(headers: Mapping[bytes, bytes], query: bytes, body: Any) -> str | None:
    """Return the write key of a request: of its headers, its address, or its body; None where it has none."""
    given = headers.get(b"authorization", b"")
    if given[:6].lower() == b"basic ":
        try:
            key = base64.b64decode(given[6:], validate=True).split(b":")[0]
        except binascii.Error:
            return None
        return key.decode("utf-8", "replace")
    if b"x-write-key" in headers:
        return headers[b"x-write-key"].decode("latin-1")
    if in_query := parse_qs(query.decode("latin-1")).get("writeKey"):
        return in_query[0]
    if isinstance(body, dict) and isinstance(body.get("writeKey"), str):
        return str(body["writeKey"])
    return None


def cors_headers(headers: Mapping[bytes, bytes]) -> Headers:
    """Return the headers that let a page of another origin post, as its browser asked for them."""
    if b"origin" not in headers:
        return []
    allowed = [
        (b"access-control-allow-origin", headers[b"origin"]),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    ]
    if b"access-control-request-method" in headers:
        allowed += [
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (b"access-control-allow-headers", headers.get(b"access-control-request-headers", b"*")),
            (b"access-control-max-age", PREFLIGHT_SECONDS),
        ]
    return allowed


def answer_body(error: str | None) -> bytes:
    """Return the JSON that tells a client whether its request was taken, and if not, why."""
    return orjson.dumps({"success": True} if error is None else {"success": False, "error": error})


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers of a request by name; of several of one name, the last."""
    return dict(headers)
