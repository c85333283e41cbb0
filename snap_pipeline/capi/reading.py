"""The classification of answers: from status, headers and body to a row of the catalogue in `answers.py`.

A body may hold anything, and never raises: one that cannot be read makes the answer unreadable, or is ignored if the
status alone decides. Its message is shown to users and stored in files and databases, so it is reduced to one line of
printable characters without the access token.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from snap_pipeline.capi.answers import CATALOGUE, Answer, Category
from snap_pipeline.capi.api_version import DIALECTS
from snap_pipeline.capi.dialect import Dialect
from snap_pipeline.exchange import Response

MAXIMUM_MESSAGE = 300
"""Characters of a message that are kept."""
MAXIMUM_READ = 4_000
"""Characters of a text that are searched for the message, so that a huge one costs no time."""

_BY_STATUS: Mapping[int, Category] = {
    401: Category.UNAUTHORIZED,
    403: Category.FORBIDDEN,
    404: Category.NOT_FOUND,
    405: Category.NOT_FOUND,
    408: Category.SERVER_ERROR,
    413: Category.TOO_LARGE,
    429: Category.THROTTLED,
}


def read_answer(dialect: Dialect, response: Response, events: int, redact: Callable[[str], str]) -> Answer:
    """Classify the answer to a request (snap-api.md, sections 2.3 and 3.9).

    Args:
        dialect: of the API's version.
        response: the HTTP response.
        events: the number of records in the request.
        redact: removes the access token from a text.
    """
    status, body = response.status, _object_in(response.body)
    message = _message(body, redact)
    if status in _BY_STATUS or status >= 500:
        category = _BY_STATUS.get(status, Category.SERVER_ERROR)
        return Answer(category, status, message, retry_after=_seconds(response.retry_after))
    if 300 <= status < 400:
        return Answer(Category.NOT_FOUND, status, "redirected elsewhere")
    if response.trouble:
        return Answer(Category.UNREADABLE_ANSWER, status, response.trouble)
    try:
        refused = _refused(body, events, message, redact)
    except ValueError:
        refused = None
    if status >= 400:
        return Answer(Category.REFUSED, status, message, refused or {})
    return _read_success(dialect, status, body.get("status"), message, refused)


def _read_success(
    dialect: Dialect, status: int, snap_status: object, message: str, refused: Mapping[int, str] | None
) -> Answer:
    """Classify a 2xx, which may be a refusal; `refused` is None if the positions of records cannot be read."""
    if refused is None:
        return Answer(Category.UNREADABLE_ANSWER, status, "the answer names refused records that cannot be identified")
    if not snap_status or not isinstance(snap_status, str):
        return Answer(Category.UNREADABLE_ANSWER, status, "the answer is not Snap's")
    succeeded = snap_status in ("VALID", "SUCCESS")
    if succeeded and not refused:
        return Answer(Category.ACCEPTED, status, message)
    others_taken = succeeded or (dialect.answers_by_record and bool(refused))
    return Answer(Category.REFUSED, status, message, refused, others_taken)


def _object_in(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; return an empty one if there is none, or one that is nested too deeply."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _refused(body: Mapping[str, Any], events: int, message: str, redact: Callable[[str], str]) -> dict[int, str]:
    """Return the reasons of refused records by position from 0.

    The formats of all versions are read, whichever was sent: a record that an answer names must not count as
    delivered.

    Raises:
        ValueError: a position is invalid, or of no record of the request.
    """
    named = {
        position: _line(reason, redact) or message
        for dialect in DIALECTS.values()
        for position, reason in dialect.refused_records(body).items()
    }
    if not all(0 <= position < events for position in named):
        raise ValueError("a position is of no record of the request")
    return named


def _message(body: Mapping[str, Any], redact: Callable[[str], str]) -> str:
    errors = body.get("errors")
    texts = errors.get("error_msgs") if isinstance(errors, dict) else None
    if isinstance(texts, list) and texts:
        return _line("; ".join(text for text in texts if isinstance(text, str)), redact)
    return _line(body.get("reason"), redact)


def _line(text: object, redact: Callable[[str], str]) -> str:
    """Reduce a text to one line of printable characters without the token; empty if the value is no text.

    Lone surrogates, which cannot be written to files, and control characters, which a terminal obeys, become blanks.
    """
    if not isinstance(text, str):
        return ""
    shown = _printable(redact(_printable(text[:MAXIMUM_READ])))
    return " ".join(shown.split())[:MAXIMUM_MESSAGE].rstrip()


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _seconds(header: str | None) -> float | None:
    """Parse a Retry-After into seconds, at most the patience; None if it is missing or cannot be parsed."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    patience = CATALOGUE[Category.THROTTLED].retry.patience_seconds
    return None if math.isnan(seconds) else min(max(seconds, 0.0), patience)
