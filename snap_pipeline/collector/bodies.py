"""Bodies of requests: unpacked within a limit, and read as JSON whatever their content type says.

Client libraries send gzip as `application/x-www-form-urlencoded` and JSON as `text/plain`, so the bytes decide.
"""

import json
import zlib
from typing import Any

import orjson

MAXIMUM_BYTES = 4 * 1024 * 1024
"""The largest body, packed or unpacked; Segment and RudderStack take no larger batch."""
GZIP_MAGIC = b"\x1f\x8b"
READS_GZIP_AND_ZLIB = 47
"""zlib's `wbits` for either format, found from the first bytes."""


class UnreadableBody(Exception):
    """A body that is no JSON, or no complete gzip."""


class BodyTooLarge(Exception):
    """A body that is larger than `MAXIMUM_BYTES` once it is unpacked."""


def read_json(body: bytes) -> Any:
    """Return the value of a body.

    Raises:
        UnreadableBody: it is no JSON.
        BodyTooLarge: it is too large once it is unpacked.
    """
    if body.startswith(GZIP_MAGIC):
        body = _unpacked(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_leniently(body)


def as_line(event: object) -> bytes:
    """Return a value as one line of JSON."""
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, and halves of surrogate pairs
        return json.dumps(event).encode() + b"\n"


def _unpacked(body: bytes) -> bytes:
    reader = zlib.decompressobj(READS_GZIP_AND_ZLIB)
    try:
        content = reader.decompress(body, MAXIMUM_BYTES + 1)
    except zlib.error:
        raise UnreadableBody from None
    if len(content) > MAXIMUM_BYTES:
        raise BodyTooLarge
    if not reader.eof:
        raise UnreadableBody
    return content


def _read_leniently(body: bytes) -> Any:
    """Read what orjson refuses, since one odd text must not cost a batch: NaN, bytes that are no UTF-8, surrogates."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableBody from None
