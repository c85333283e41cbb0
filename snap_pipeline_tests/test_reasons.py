"""Reasons and states: SQL, Python, docs and the enums know the same ones, so that none is without words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from snap_pipeline.delivery.event_status import delivery_sql
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.reasons import WORDS, DeliveryState, Exclusion, Quarantine, Reason, Undeliverable, with_words

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "snap_pipeline"
LITERAL = re.compile(r"\b(?:then|else) '(\w+)'")


def case_before(text: str, end: int) -> str:
    """Return the `case` expression that ends at a position."""
    depth = 0
    for word in reversed(list(re.finditer(r"\b(case|end)\b", text[:end]))):
        depth += 1 if word[1] == "end" else -1
        if depth == 0:
            return text[word.start() : end]
    raise ValueError("no case before this end")


def literals_of(text: str, column: str) -> list[str]:
    """Return the literals that an SQL file gives a column, in their order, each once."""
    text = re.sub(r"--.*", "", text)
    found = [
        reason
        for column_end in re.finditer(rf"\bend\b(?=\s*\)?\s*as {column}\b)", text)
        for reason in LITERAL.findall(case_before(text, column_end.end()))
    ]
    return list(dict.fromkeys([*found, *re.findall(rf"'(\w+)'\s+as {column}\b", text)]))


def members_in_python(kind: type[Reason]) -> set[Reason]:
    """Return the members that modules of the package name."""
    texts = (path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "reasons.py")
    return {kind[name] for text in texts for name in re.findall(rf"\b{kind.__name__}\.([A-Z]\w+)", text)}


def test_the_reasons_of_exclusion_are_those_of_its_sql_in_the_same_order() -> None:
    assert literals_of(sql("verdicts"), "reason") == list(Exclusion)


def test_the_reasons_of_undeliverable_are_those_of_its_sql_in_the_same_order() -> None:
    assert literals_of(delivery_sql("payload_states"), "undeliverable_reason") == list(Undeliverable)


def test_the_delivery_states_are_those_of_its_sql_and_of_the_receipts() -> None:
    outcomes = {DeliveryState.DELIVERED, DeliveryState.REJECTED}
    assert {*literals_of(delivery_sql("payload_states"), "state"), *outcomes} == set(DeliveryState)


def test_every_reason_of_quarantine_is_given_somewhere() -> None:
    elsewhere = {*Exclusion, *Undeliverable}
    in_sql = {reason for path in PACKAGE.rglob("*.sql") for reason in literals_of(path.read_text(), r"\w*reason")}
    assert {Quarantine.MALFORMED_JSON, Quarantine.UNREADABLE} <= in_sql
    assert (in_sql - elsewhere) | members_in_python(Quarantine) == set(Quarantine)


def spelled_out() -> Iterator[tuple[str, str]]:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "reasons.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and node.value in WORDS:
                    yield path.name, node.value


def test_python_uses_the_members_and_spells_no_reason_out() -> None:
    assert list(spelled_out()) == []


def test_keys_are_unique_and_words_are_sentences_without_full_stop() -> None:
    kinds = (Quarantine, Exclusion, Undeliverable)
    assert len(WORDS) == sum(map(len, kinds))
    assert [key for key, words in WORDS.items() if not re.fullmatch(r"[A-Z].*[^.]", words)] == []


def test_a_reason_from_snap_is_shown_as_it_is() -> None:
    assert with_words("expired") == "expired (Too old for Snap when its turn came)"
    assert with_words("The value is too large") == "The value is too large"


def documented(page: str, column: str) -> list[list[tuple[str, str]]]:
    """Return the keys and meanings of each table of a page whose first column has a name."""
    text = (ROOT / "docs" / page).read_text()
    tables = re.findall(rf"^\| {column} \| meaning .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    return [re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.M) for table in tables]


@pytest.mark.parametrize(
    ("page", "column", "kinds"),
    [("events.md", "reason", [Exclusion, Undeliverable, Quarantine]), ("delivery.md", "state", [DeliveryState])],
)
def test_the_docs_list_every_reason_in_order_with_its_words(page: str, column: str, kinds: list[type[Reason]]) -> None:
    tables = documented(page, column)
    assert [[key for key, _ in table] for table in tables] == [list(kind) for kind in kinds]
    meanings = {key: meaning for table in tables for key, meaning in table}
    assert [each for kind in kinds for each in kind if not meanings[each].startswith(each.words)] == []
