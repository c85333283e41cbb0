"""Bodies of requests: unpacked within a limit, and read as JSON whatever their content type says.

Client libraries send gzip as `application/x-www-form-urlencoded` and JSON as `text/plain`, so the bytes decide.
"""

import json
import math
import zlib
from typing import Any

import orjson

MAXIMUM_BYTES = 4 * 1024 * 1024
"""The largest body, packed or unpacked; Segment and RudderStack take no larger batch."""
LARGE_BYTES = 64 * 1024
"""Larger bodies would keep the event loop from other requests for a millisecond and more."""
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW_BITS = 31
"""zlib's `wbits` for gzip."""
ZEROS_FOR_DIGITS = bytes.maketrans(b"123456789", b"000000000")
LONG_NUMBER = b"0" * 19
"""Digits of numbers that may not fit into 64 bits, which orjson makes inexact: ids of orders may be as long."""
LONGEST_INTEGER = 1_000
"""Digits of the longest number that is read as one; Python refuses to convert texts of more than 4,300."""
TOO_DEEP = b'"An event that is nested too deeply."\n'
"""Lands in place of an event that cannot be written. It is no object, so that the pipeline quarantines it."""


class UnreadableBody(Exception):
    """A body that is no JSON, or no complete gzip."""


class BodyTooLarge(Exception):
    """A body that is larger than `MAXIMUM_BYTES` once it is unpacked, or has too many events."""


def is_large(body: bytes) -> bool:
    """Tell whether a body takes long to read; a packed one may be of any size."""
    return len(body) > LARGE_BYTES or body.startswith(GZIP_MAGIC)


def read_json(body: bytes) -> Any:
    """Return the value of a body.

    Raises:
        UnreadableBody: it is no JSON.
        BodyTooLarge: it is too large once it is unpacked.
    """
    if body.startswith(GZIP_MAGIC):
        body = _unpacked(body)
    if LONG_NUMBER in body.translate(ZEROS_FOR_DIGITS):
        return _read_leniently(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_leniently(body)


def as_line(event: object) -> bytes:
    """Return a value as one line of JSON."""
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # long numbers, halves of surrogate pairs, more than 254 levels
        try:
            return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        except RecursionError:
            return TOO_DEEP


def _unpacked(body: bytes) -> bytes:
    reader = zlib.decompressobj(GZIP_WINDOW_BITS)
    try:
        content = reader.decompress(body, MAXIMUM_BYTES + 1)
    except zlib.error:
        raise UnreadableBody from None
    if len(content) > MAXIMUM_BYTES:
        raise BodyTooLarge
    if not reader.eof or reader.unused_data:
        raise UnreadableBody
    return content


def _read_leniently(body: bytes) -> Any:
    """Read what orjson refuses or makes inexact, since one odd value must not cost a batch.

    That is long numbers, NaN (then null), control characters, halves of surrogate pairs, and bytes that are no UTF-8.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig", "replace"),
            strict=False,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=lambda _: None,
        )
    except (ValueError, RecursionError):
        raise UnreadableBody from None


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= LONGEST_INTEGER else text


def _decimal(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text
