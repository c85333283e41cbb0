"""Nouns and verbs agree with their number in every text that people see."""

import re
from pathlib import Path

import pytest

import snap_pipeline
from snap_pipeline.delivery.held_events import Held
from snap_pipeline.lake.plaintext import Plaintext
from snap_pipeline.plurals import agreeing, quantity
from snap_pipeline_tests.project import HOUR

PACKAGE = Path(snap_pipeline.__file__).parent
COUNTED = r"(hour|event|request|line|file|conversion|destination|batche|row|day|reason)s"
NUMBER_AND_PLURAL = re.compile(r"(\| ?count|:,|length[^}]*) ?\}\}? (\w+ )?" + COUNTED + r"\b")
"""A number in a text or template, formatted for people, before a plural that does not depend on it."""


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 hours are"), (1, "1 hour is"), (2, "2 hours are"), (1_001, "1,001 hours are")],
)
def test_a_noun_and_its_verb_agree_with_the_number(number: int, words: str) -> None:
    assert f"{quantity(number, 'hour')} {agreeing(number, 'is', 'are')}" == words


@pytest.mark.parametrize(("number", "words"), [(1, "1 event is"), (2, "2 events are")])
def test_messages_about_one_event_and_about_two(number: int, words: str) -> None:
    assert f"{words} not sent" in str(Plaintext(number, {"fn": number}, ["a"]))
    assert f"{quantity(number, 'event')} of " in (held := Held.UNTIL_MADE_AGAIN.explain(number, [HOUR]))
    assert f" {agreeing(number, 'is', 'are')} held back" in held


def test_no_text_has_a_plural_that_does_not_depend_on_its_number() -> None:
    texts = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for path in texts
        for match in NUMBER_AND_PLURAL.finditer(path.read_text(encoding="utf-8"))
    ]
    # A limit of a hundred requests is no count.
    assert found == ["delivery/refusals.py: :,} requests"]
