"""Snap's own scores: the request, and answers of forms that Snap may use."""

import json

import pytest

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.signal_readiness import read_scores, request_scores
from snap_pipeline_tests.hostile_server import Connection, hostile_server
from snap_pipeline_tests.project import PIXEL_ID

NAMES = {"PURCHASE", "ADD_CART"}
SECRET = "very-secret-token-of-somebody"


def found(answer: object) -> list[tuple[object, ...]]:
    return [
        (each.event_name, each.conversion_type, each.event_source, each.name, each.score)
        for each in read_scores(json.dumps(answer), NAMES)
    ]


def test_rows_with_three_scores_and_recommendations_are_read() -> None:
    row = {"event_name": "purchase", "action_source": "website", "event_source": "capi"}
    scores = {"overall_score": 6.5, "identity_score": "5", "freshness_score": 8, "max_score": 10, "events": 900}
    advice = {"recommendations": [{"priority": "P0", "event": "ADD_CART", "text": "Send WEB"}]}
    answer = {"event_quality_scores": [{"event_quality_score": row | scores | advice}]}
    about = ("PURCHASE", "WEB", "API")
    assert found(answer) == [
        (*about, "overall_score", 6.5),
        (*about, "identity_score", 5),
        (*about, "freshness_score", 8),
    ]
    assert [each.is_overall for each in read_scores(json.dumps(answer), NAMES)] == [True, False, False]


def test_scores_below_their_events_and_sources_are_read() -> None:
    answer = {"event_quality_scores": {"PURCHASE": {"WEB": {"SDK": {"score": {"value": 71}}}, "OFFLINE": {"score": 3}}}}
    assert found(answer) == [("PURCHASE", "WEB", "SDK", "score", 71), ("PURCHASE", "OFFLINE", None, "score", 3)]


@pytest.mark.parametrize(
    "body",
    [
        "<html>Not Found</html>",
        "",
        "[" * 100_000 + "]" * 100_000,
        '{"event_name": "SIZE_GUIDE", "score": 5}',
        '{"event_name": "PURCHASE", "score": true, "quality": "NaN", "readiness": null}',
        '{"event_quality_scores": []}',
    ],
)
def test_what_is_not_understood_has_no_scores(body: str) -> None:
    assert read_scores(body, NAMES) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 Unauthorized", "Snap gave no scores to this token: the token is not valid there"),
        ("403 Forbidden", "Snap gave no scores to this token: the token may not read them"),
        ("404 Not Found", "Snap gave no scores to this token: Snap has none for this pixel or app"),
        ("302 Found", "Snap gave no scores to this token: an unexpected answer (HTTP 302)"),
        ("500 Internal Server Error", "(HTTP 500)"),
    ],
)
def test_a_refusal_is_an_outcome_in_words_without_the_token(status: str, words: str) -> None:
    def echo(connection: Connection) -> None:
        connection.reply(status, connection.head.encode(), "Location: http://127.0.0.1:9/")

    with hostile_server(echo) as server:
        answer = request_scores(server.url, "pixels", PIXEL_ID, AccessToken(SECRET))
        assert server.targets == [f"/v1/pixels/{PIXEL_ID}/event_quality_scores"]
    assert words in answer.message
    assert not answer.has_scores
    assert "Bearer" in str(answer.body)
    assert SECRET not in f"{answer.body}{answer}"


def test_a_server_that_is_not_there_is_an_outcome() -> None:
    answer = request_scores("http://127.0.0.1:9", "pixels", PIXEL_ID, AccessToken(SECRET))
    assert (answer.http_status, answer.message) == (
        None,
        "Snap gave no scores: 127.0.0.1 refused the connection.",
    )
