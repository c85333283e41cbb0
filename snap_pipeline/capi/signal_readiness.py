"""Snap's own scores: a request to the Signal Readiness API, and the scores in its answer (docs/snap-api.md, section 7).

Snap does not document the fields of the answer. So a score is a number whose name says so, and what it is about are the
nearest words around it that Snap uses for events and their sources, whatever the fields are called.
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.exchange import HttpClient, NoAnswer, NotSent
from snap_pipeline.redaction import Redaction

Asset = Literal["pixels", "mobile_apps"]

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0

REFUSALS: Mapping[int, str] = {
    401: "the token is not valid there. Set one that is with `snap-pipeline destination rotate-token`",
    403: "the token may not read them. Set one that may with `snap-pipeline destination rotate-token`",
    404: "Snap has none for this pixel or app",
    429: "too many requests",
}

ACTION_SOURCES: Mapping[str, str] = {
    "WEB": "WEB",
    "WEBSITE": "WEB",
    "MOBILE_APP": "MOBILE_APP",
    "APP": "MOBILE_APP",
    "OFFLINE": "OFFLINE",
    "PHYSICAL_STORE": "OFFLINE",
}
EVENT_SOURCES: Mapping[str, str] = {"API": "API", "CAPI": "API", "CONVERSIONS_API": "API", "SDK": "SDK", "PIXEL": "SDK"}

SCORE_NAME = re.compile(r"score|quality|readiness", re.IGNORECASE)
NO_SCORE_NAME = re.compile(r"max|min|target|threshold|benchmark|previous|count|weight|version", re.IGNORECASE)
OVERALL_NAME = re.compile(r"overall|total|^(event_quality_)?score$", re.IGNORECASE)


@dataclass(frozen=True)
class ScoresAnswer:
    """The outcome of one request.

    Attributes:
        http_status: of the answer; None without one.
        body: the text of the answer as it came, without the token; None without one.
        message: the outcome in words; it quotes nothing of the answer.
    """

    http_status: int | None
    body: str | None = field(repr=False)
    message: str

    @property
    def has_scores(self) -> bool:
        """Tell whether Snap answered with scores."""
        return self.http_status == 200 and self.body is not None


@dataclass(frozen=True)
class Score:
    """One number of an answer.

    Attributes:
        event_name: Snap's name of the event.
        conversion_type: WEB, MOBILE_APP or OFFLINE; None where the answer does not say.
        event_source: API or SDK; None where the answer does not say.
        name: of the field.
        score: on Snap's scale, which is not documented.
    """

    event_name: str | None = None
    conversion_type: str | None = None
    event_source: str | None = None
    name: str = ""
    score: float = math.nan

    @property
    def is_overall(self) -> bool:
        """Tell whether its name is that of a score over all aspects."""
        return bool(OVERALL_NAME.search(self.name))


def request_scores(base_url: str, asset: Asset, asset_id: str, token: AccessToken) -> ScoresAnswer:
    """Ask Snap for the scores of a pixel or app; every failure is an answer too."""
    redact = Redaction(token.reveal())
    url = f"{base_url}/v1/{asset}/{asset_id}/event_quality_scores"
    headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}
    try:
        response = HttpClient(redact, connections=1).get(
            url, headers, connect_seconds=CONNECT_SECONDS, seconds=ANSWER_SECONDS
        )
    except (NotSent, NoAnswer) as error:
        return ScoresAnswer(None, None, f"Snap gave no scores: {error}.")
    body = None if response.trouble else redact(response.body.decode("utf-8", "replace"))
    if response.trouble:
        message = f"Snap gave no scores: {response.trouble} (HTTP {response.status})."
    elif response.status == 200:
        message = "Snap gave its scores."
    else:
        reason = REFUSALS.get(response.status, "an unexpected answer")
        message = f"Snap gave no scores to this token: {reason} (HTTP {response.status})."
    return ScoresAnswer(response.status, body, message)


def read_scores(body: str, event_names: Collection[str]) -> list[Score]:
    """Return the scores of events in an answer; none where it is not understood.

    Args:
        body: of the answer.
        event_names: Snap's names of events.
    """
    try:
        return list(_walk(orjson.loads(body), "", Score(), frozenset(event_names)))
    except (ValueError, RecursionError):
        return []


def _walk(node: Any, key: str, around: Score, event_names: frozenset[str]) -> Iterator[Score]:
    """Yield the scores below a node; `around` has what is known of its surroundings, of which the nearest counts."""
    if isinstance(node, list):
        for child in node:
            yield from _walk(child, key, around, event_names)
    elif isinstance(node, dict):
        texts = [value for value in node.values() if isinstance(value, str)]
        around = _described(_described(around, [key], event_names), texts, event_names)
        for name, value in node.items():
            number = _number(value)
            score_name = key if name == "value" else name
            if number is None:
                yield from _walk(value, name, around, event_names)
            elif around.event_name and SCORE_NAME.search(score_name) and not NO_SCORE_NAME.search(score_name):
                yield replace(around, name=score_name.lower(), score=number)


def _described(around: Score, words: Iterable[str], event_names: frozenset[str]) -> Score:
    for word in (word.strip().upper() for word in words):
        if word in event_names:
            around = replace(around, event_name=word)
        if word in ACTION_SOURCES:
            around = replace(around, conversion_type=ACTION_SOURCES[word])
        if word in EVENT_SOURCES:
            around = replace(around, event_source=EVENT_SOURCES[word])
    return around


def _number(value: Any) -> float | None:
    """Return a finite number, also one in a text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
