"""Names of events: their comparison, and the custom names of unmapped ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.lake.macros import call, call_each, many_rows, texts


@pytest.mark.parametrize(
    "given_text",
    [
        "Order Completed",
        "order_completed",
        "order-completed",
        "orderCompleted",
        "ORDER  COMPLETED",
        "Order\u00a0Completed",
    ],
)
def test_case_spaces_hyphens_and_underscores_make_no_difference(given_text: str) -> None:
    assert call("folded_name", given_text) == "ordercompleted"


@pytest.mark.parametrize(
    ("given_text", "folded"), [("a.b:c", "a.b:c"), ("GRO\u0308SSE", "grösse"), ("_-", None), (None, None)]
)
def test_other_characters_are_kept(given_text: str | None, folded: str | None) -> None:
    assert call("folded_name", given_text) == folded


@pytest.mark.parametrize(
    ("given_text", "name"),
    [
        ("Size Guide Opened", "SIZE_GUIDE_OPENED"),
        ("sizeGuideOpened", "SIZE_GUIDE_OPENED"),
        ("size-guide.opened", "SIZE_GUIDE_OPENED"),
        ("SIZE_GUIDE_OPENED", "SIZE_GUIDE_OPENED"),
        ("  __size--guide!! ", "SIZE_GUIDE"),
        ("HTMLPageLoaded", "HTML_PAGE_LOADED"),
        ("step2Done", "STEP2_DONE"),
        ("STEP2DONE", "STEP2DONE"),
        ("größe gewählt", "GRÖẞE_GEWÄHLT"),
        ("размерОткрыт", "РАЗМЕР_ОТКРЫТ"),
        ("カート追加", "カート追加"),
        ("[null]", None),
        ("!!!", None),
        ("", None),
        (None, None),
    ],
)
def test_unmapped_events_get_an_upper_case_name_with_underscores(given_text: str | None, name: str | None) -> None:
    assert call("upper_snake_name", given_text) == name


@many_rows
@given(st.lists(st.text(st.characters(max_codepoint=127)), max_size=20))
def test_a_name_that_has_the_form_keeps_it(values: list[str]) -> None:
    once = call_each("upper_snake_name(text)", values)
    assert call_each("upper_snake_name(text)", once) == once


@many_rows
@given(texts)
def test_any_text_is_taken(values: list[str | None]) -> None:
    for name in call_each("upper_snake_name(text)", values):
        assert name is None or (name and not name.startswith("_") and not name.endswith("_") and "__" not in name)
