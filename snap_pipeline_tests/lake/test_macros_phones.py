"""Phone numbers: the worked examples of docs/snap-api.md, and other input from shops' forms."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.lake.macros import call, call_each, many_rows, texts

BRITISH = "19f25a18866af88fc60189c3af85010a0b971cf976053787fe21e004538c20a0"
AMERICAN = "34053b331d29734f081bf74160cd33bc2f621b3b6f8ec991500bebf49f14e014"


@pytest.mark.parametrize(
    ("given_text", "default_calling_code", "digest"),
    [
        ("+44 844 412 4653", None, "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
        ("+44-447-234-2344", None, BRITISH),
        ("0044-447-234-2344", None, BRITISH),
        ("+44-0447-234-2344", None, BRITISH),
        ("+44 0447 234 2344", None, BRITISH),
        ("447-234-2344", "1", AMERICAN),
        ("4472342344", "1", AMERICAN),
        ("(447)-234-2344", "1", AMERICAN),
        ("447 234-2344", "1", AMERICAN),
        ("+1-(447) 234 2344", None, AMERICAN),
        ("+1-(447) 234 2344", "1", AMERICAN),
    ],
)
def test_the_worked_examples_of_the_reference(given_text: str, default_calling_code: str | None, digest: str) -> None:
    assert call("hashed_phone", given_text, default_calling_code) == digest


@pytest.mark.parametrize(
    "given_text",
    [
        "+44 (0) 447 234 2344",
        "(+44) 447 234 2344",
        "+(44)447.234.2344",
        "tel:+44-447-234-2344",
        "Phone: +44 447 234 2344",
        "+44 447 234 2344 ext. 12",
        "+44 447 234 2344x12",
        "+44 447 234 2344 #12",
        "tel:+44-447-234-2344;ext=12",
        "+44 447 234 2344 (mobile)",
        "+44\u00a0447\u00a0234\u00a02344",
        "+44\u2013447\u2013234\u20132344",
        "\u202a+44 447 234 2344\u202c",
        "00 44 447 234 2344",
        "444472342344",
        "444472342344.0",
        "+٤٤٤٤٧٢٣٤٢٣٤٤",
        "+۴۴۴۴۷۲۳۴۲۳۴۴",
        "＋４４４４７２３４２３４４",
    ],
)
def test_every_way_of_writing_a_number_gives_the_same_digits(given_text: str) -> None:
    assert call("normalized_phone", given_text, None) == "444472342344"


@pytest.mark.parametrize(
    ("given_text", "calling_code", "digits"),
    [
        ("0447 234 2344", "44", "444472342344"),
        ("447 234 2344", "44", "444472342344"),
        ("44 447 234 2344", "44", "444472342344"),
        ("440447 234 2344", "44", "444472342344"),
        ("+1 447 234 2344", "44", "14472342344"),
        ("1 447 234 2344", "1", "14472342344"),
        ("9112345678", "91", "919112345678"),
        ("919112345678", "91", "919112345678"),
        ("4512345678", "45", "4512345678"),
        ("12345678", "45", "4512345678"),
        ("0501234567", "971", "971501234567"),
        ("971501234567", "971", "971501234567"),
        ("55 91234 5678", "55", "5555912345678"),
        ("06 12345678", "39", "390612345678"),
    ],
)
def test_the_default_calling_code_is_put_before_numbers_that_lack_one(
    given_text: str, calling_code: str, digits: str
) -> None:
    assert call("normalized_phone", given_text, calling_code) == digits


@pytest.mark.parametrize(
    ("given_text", "digits"),
    [
        ("0447 234 2344", "04472342344"),
        ("447-234-2344", "4472342344"),
        ("+39 06 1234567", "39061234567"),
        ("+225 07 01 02 03 04", "2250701020304"),
        ("+353 (0)87 123 4567", "353871234567"),
        ("+7 (912) 345-67-89", "79123456789"),
        ("+1 0447 234 2344", "14472342344"),
    ],
)
def test_without_a_default_the_digits_stay_and_trunk_zeros_go_where_they_are_no_part(
    given_text: str, digits: str
) -> None:
    assert call("normalized_phone", given_text, None) == digits


@pytest.mark.parametrize(
    "given_text",
    [
        "n/a",
        "",
        "-",
        "123456",
        "1234567890123456",
        "0000000000",
        "+000000000",
        "999-999-9999",
        "+44 7777777777",
        "4.47e11",
        "4.47E+11",
        "a1b2c3d4e5f6a7b8",
        "person@example.com",
        "+44 447 234 2344 / +44 447 234 2345",
        "[object Object]",
        None,
    ],
)
def test_what_is_no_phone_number_is_not_hashed(given_text: str | None) -> None:
    assert call("hashed_phone", given_text, None) is None
    assert call("hashed_phone", given_text, "44") is None


def test_numbers_of_a_list_take_each_row_s_calling_code() -> None:
    rows = call_each(
        "list_transform(['0447 234 2344', '1'], lambda p: hashed_phone(p, text))",
        ["44", None],
    )
    assert rows == [[BRITISH, None], [hashlib.sha256(b"04472342344").hexdigest(), None]]


@many_rows
@given(st.lists(st.from_regex(r"\+[1-9][0-9 ().-]{6,20}", fullmatch=True), max_size=20))
def test_international_numbers_are_the_same_with_any_default(values: list[str]) -> None:
    assert call_each("normalized_phone(text, '44')", values) == call_each("normalized_phone(text, null)", values)


@many_rows
@given(texts)
def test_a_normalized_number_is_7_to_15_digits(values: list[str | None]) -> None:
    for number in call_each("normalized_phone(text, '44')", values):
        assert number is None or (number.isascii() and number.isdigit() and 7 <= len(number) <= 15)
