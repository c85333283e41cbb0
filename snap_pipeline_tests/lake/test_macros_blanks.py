"""Blank texts of a whole line: the same as null_if_blank() does to one text, however a client writes its JSON."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.lake.macros import call_each, many_rows

WAYS_OF_WRITING: tuple[dict[str, Any], ...] = (
    {},
    {"ensure_ascii": False},
    {"separators": (",", ":")},
    {"indent": 1, "ensure_ascii": False},
)
PIECES = (
    *(" ", "\n", "\t", "\0", "\x7f", "\u00a0", "\u00ad", "\u061c", "\u200b", "\u2028", "\ufeff", "\U000e0001"),
    *("null", "NaN", "None", "n/a", "undefined", "[object Object]"),
    *("\\", '"', ",", ":", "}", "a", "n", "é", "u0020"),
)
LINES_WITH_BLANKS = "case when regexp_matches(text, blank_text_pattern()) then without_blank_texts(text) else text end"

texts = (
    st.lists(st.sampled_from(PIECES), max_size=5)
    .map("".join)
    # Of a text that begins with backslashes alone, blanks may stay.
    .filter(lambda text: not re.match(r"\W*\\+\W", text))
)


@many_rows
@given(st.lists(st.tuples(texts, texts, st.sampled_from(WAYS_OF_WRITING)), min_size=1, max_size=20))
def test_values_of_a_line(rows: list[tuple[str, str, dict[str, Any]]]) -> None:
    lines = [
        json.dumps({"name": first, "properties": {"sku": second, "list": [first, 1]}, first + "x": 1}, **way)
        for first, second, way in rows
    ]
    read = [json.loads(line, strict=False) for line in call_each(LINES_WITH_BLANKS, lines)]
    given_texts = [text for row in rows for text in row[:2]]
    assert [text for line in read for text in (line["name"], line["properties"]["sku"])] == call_each(
        "null_if_blank(text)", given_texts
    )
    assert all(line["properties"]["list"][1] == 1 and len(line) == 3 for line in read)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"userId":"undefined","id":"null"}', {"userId": "undefined", "id": None}),
        ('{"order_id" : " null ", "sku":"NULL"}', {"order_id": "null", "sku": None}),
        ('{"userId":"","url":": null"}', {"userId": None, "url": ": null"}),
    ],
)
def test_words_of_ids_stay_to_be_counted(line: str, expected: dict[str, Any]) -> None:
    (read,) = call_each(LINES_WITH_BLANKS, [line])
    assert json.loads(read) == expected
