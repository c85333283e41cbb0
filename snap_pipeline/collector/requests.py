"""Requests as client libraries of Segment, RudderStack and Jitsu make them: paths, write keys, preflights, answers."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson

from snap_pipeline.collector.events import TYPES
from snap_pipeline.collector.sources import Source

Headers = list[tuple[bytes, bytes]]
BATCH_PATHS = frozenset({"b", "batch", "import"})
PREFIXES = ("/beacon/v1/", "/v1/", "/api/s/s2s/", "/api/s/")
HEALTH, READINESS, SOURCE_CONFIG = "/healthz", "/readyz", "/sourceConfig"
PAGES = frozenset({HEALTH, READINESS, SOURCE_CONFIG})
PREFLIGHT_SECONDS = b"7200"


class UnknownPath(Exception):
    """A path at which there is nothing."""


def endpoint_of(path: str, prefix: str) -> str:
    """Return the endpoint of a path: one of `PAGES`, or the last part of a path for events, such as `track`.

    Args:
        path: of the request.
        prefix: the path below which the site passes requests on, such as `/_e`; it may be missing.

    Raises:
        UnknownPath: there is nothing at the path.
    """
    path = path.removeprefix(prefix).rstrip("/")
    if path in PAGES:
        return path
    for known in PREFIXES:
        name = path.removeprefix(known)
        if path.startswith(known) and (name in TYPES or name in BATCH_PATHS):
            return name
    raise UnknownPath


def write_keys_of(headers: Mapping[bytes, bytes], query: bytes) -> list[str]:
    """Return the possible write keys in a request's headers and address.

    There may be several: the user name of Basic authorization is the write key for most libraries, and a visitor's name
    on sites that ask for a password.
    """
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    found = []
    if scheme.lower() == b"basic":
        with suppress(binascii.Error):
            found.append(base64.b64decode(credentials.strip(), validate=True).split(b":")[0].decode("utf-8", "replace"))
    found.append(headers.get(b"x-write-key", b"").decode("latin-1"))
    if b"writeKey=" in query:
        found += parse_qs(query.decode("latin-1")).get("writeKey", [])
    return [key for each in found if (key := each.strip())]


def write_keys_in(body: Any) -> list[str]:
    """Return the write key of a body, if it has one."""
    key = body.get("writeKey") if isinstance(body, dict) else None
    return [key.strip()] if isinstance(key, str) and key.strip() else []


def source_config(source: Source, key: str) -> bytes:
    """Return the configuration that RudderStack's browser library asks for first; it names no destinations."""
    return orjson.dumps(
        {
            "source": {
                "id": source.name,
                "name": source.name,
                "writeKey": key,
                "enabled": True,
                "config": {},
                "destinations": [],
            }
        }
    )


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
