"""Phone numbers: the worked examples of docs/snap-api.md, and other input from shops' forms."""

import hashlib

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from snap_pipeline_tests import phone_patterns
from snap_pipeline_tests.lake.macros import call, call_each, connection, many_rows, texts

BRITISH = "19f25a18866af88fc60189c3af85010a0b971cf976053787fe21e004538c20a0"
ORIGINS = [*(region.lower() for region in sorted(phonenumbers.SUPPORTED_REGIONS)), "1", "39", "44", "49", "7", None]
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


@pytest.mark.parametrize(
    ("given_text", "origin", "digits"),
    [
        ("06 30 123 4567", "hu", "36301234567"),
        ("+36 06 30 123 4567", None, "36301234567"),
        ("8 (912) 345-67-89", "ru", "79123456789"),
        ("7 912 345 67 89", "ru", "79123456789"),
        ("8 701 234 5678", "kz", "77012345678"),
        ("8 612 34567", "lt", "37061234567"),
        ("0 612 34567", "lt", "37061234567"),
        ("+370 8 612 34567", None, "37061234567"),
        ("8 029 491 19 11", "by", "375294911911"),
        ("+52 1 55 1234 5678", None, "525512345678"),
        ("044 55 1234 5678", "mx", "525512345678"),
        ("55 1234 5678", "mx", "525512345678"),
        ("011 15 2345-6789", "ar", "5491123456789"),
        ("+54 11 15 2345 6789", None, "5491123456789"),
        ("+54 9 11 2345 6789", None, "5491123456789"),
        ("0 15 11 91234 5678", "br", "5511912345678"),
        ("(011) 91234-5678", "br", "5511912345678"),
        ("06 1234 5678", "it", "390612345678"),
        ("+39 06 1234 5678", None, "390612345678"),
        ("0549 886377", "sm", "3780549886377"),
        ("07 01 02 03 04", "ci", "2250701020304"),
        ("090-1234-5678", "jp", "819012345678"),
        ("010-1234-5678", "kr", "821012345678"),
        ("098765 43210", "in", "919876543210"),
        ("91 98765 43210", "in", "919876543210"),
        ("9198765432", "in", "919198765432"),
        ("491701234567", "de", "491701234567"),
        ("(212) 555-1234", "us", "12125551234"),
        ("1 212 555 1234", "us", "12125551234"),
        ("011 44 844 412 4653", "us", "448444124653"),
        ("810 44 844 412 4653", "ru", "448444124653"),
        ("0011 44 844 412 4653", "au", "448444124653"),
        ("00 44 844 412 4653", "us", "448444124653"),
        ("464 1234", "ag", "12684641234"),
        ("0844 412 4653", "gb", "448444124653"),
        ("0844 412 4653", "44", "448444124653"),
        ("0481 960194", "gg", "44481960194"),
        ("+800 1234 5678", None, "80012345678"),
    ],
)
def test_prefixes_of_all_countries_are_known(given_text: str, origin: str | None, digits: str) -> None:
    assert read_both_ways([given_text], [origin]) == [(digits, digits)]


@pytest.mark.parametrize(
    ("given_text", "origin"),
    [
        ("555-1234", "us"),
        ("+1 212 555 12345", None),
        ("+33 6 12 34 56 78 9", None),
        ("06 12 34 56", "fr"),
        ("+225 01 02 03 04", None),
        ("+999 1234567", None),
        ("+210 12345678", None),
    ],
)
def test_a_number_of_a_length_that_its_country_does_not_have_is_dropped(given_text: str, origin: str | None) -> None:
    assert read_both_ways([given_text], [origin]) == [(None, None)]


def test_a_country_without_numbers_of_its_own_leaves_the_origin_to_the_workspace() -> None:
    countries = ["de", "aq", None]
    assert call_each("phone_origin(text, '44')", countries) == ["de", "44", "44"]


def test_the_patterns_are_what_the_library_says() -> None:
    assert phone_patterns.FILE.read_text(encoding="utf-8") == phone_patterns.render(), "run `make phone-patterns`"


def spellings_of_examples(region: str) -> list[tuple[str, str]]:
    """Return example numbers of a country in many spellings, each with its digits as Snap hashes them."""
    spellings = []
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        digits = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
        international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        spellings += [
            (text, digits)
            for text in (
                f"+{digits}",
                f"00{digits}",
                international,
                international.replace(" ", "-"),
                f"tel:{international} ext. 12",
                f"({international[: international.index(' ')]}) {international[international.index(' ') :]}",
                f"{international}\u202c",
                phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
                phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL).replace(" ", "\u00a0"),
            )
        ]
    return spellings


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_way_of_writing_an_example_number_gives_the_same_digits(region: str) -> None:
    texts, digits = zip(*spellings_of_examples(region), strict=True)
    assert read_both_ways(list(texts), [region.lower()] * len(texts)) == [(each, each) for each in digits]


@pytest.mark.parametrize("region", sorted(set(phonenumbers.SUPPORTED_REGIONS) - {"AR", "MX"}))
def test_digits_without_a_plus_are_read_as_the_library_reads_them(region: str) -> None:
    """National numbers with and without prefixes, cut short and too long, and those with their own calling code."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    numbers = {digits.removeprefix(str(metadata.country_code)) for _, digits in spellings_of_examples(region)}
    given_texts = [
        text
        for number in numbers
        for text in (number, number[:-1], f"{number}1", f"{metadata.country_code}{number}",
                     f"{metadata.national_prefix or ''}{number}", f"1{number[1:]}", f"9{number[1:]}")
        if len(text) >= 7
    ]  # fmt: skip
    known = {text: number for text in given_texts if (number := library_digits(text, region)) != KEEPS_ZERO}
    assert read_both_ways(list(known), [region.lower()] * len(known)) == [(each, each) for each in known.values()]


KEEPS_ZERO = "0"


def library_digits(text: str, region: str) -> str | None:
    """Return what the library makes of a number, or None if its country has none of that length.

    It keeps a zero before numbers that have none; Snap does not want it (snap-api.md, section 3.4). It also takes a
    number with its calling code for a national one that begins alike, even where those are written with a prefix.
    """
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata.national_prefix and text.startswith(str(metadata.country_code)):
        with_plus = phonenumbers.parse(f"+{text}", None)
        if phonenumbers.is_valid_number(with_plus):
            return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.italian_leading_zero:
        return KEEPS_ZERO
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:] if possible else None


@many_rows
@given(st.lists(st.tuples(st.from_regex(r"\+?[0-9]{4,15}", fullmatch=True), st.sampled_from(ORIGINS)), max_size=200))
def test_the_patterns_agree_with_the_library(numbers: list[tuple[str, str | None]]) -> None:
    for quick, by_library in read_both_ways([text for text, _ in numbers], [origin for _, origin in numbers]):
        assert quick == by_library


def read_both_ways(given_texts: list[str], origins: list[str | None]) -> list[tuple[str | None, str | None]]:
    """Return the digits of numbers as the patterns and as the library alone read them."""
    query = """
        select quickly_normalized_phone(number, origin), normalized_phone(number, origin)
        from (select unnest(?::varchar[]) as number, unnest(?::varchar[]) as origin)
    """
    return connection().execute(query, [given_texts, origins]).fetchall()
