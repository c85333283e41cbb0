"""E-mail addresses, names, gender, user agents and advertising ids, by the rules of docs/snap-api.md."""

import hashlib
import unicodedata

import pytest
from hypothesis import given

from snap_pipeline_tests.lake.macros import call, call_each, many_rows, texts

EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()
HASHES = (
    "hashed_email(text)",
    "hashed_phone(text, null)",
    "hashed_phone(text, '44')",
    "hashed_name(text)",
    "hashed_name_v2(text)",
    "hashed_city(text)",
    "hashed_city_v2(text)",
    "hashed_state(text, 'us')",
    "hashed_state(text, null)",
    "hashed_zip(text, 'us')",
    "hashed_zip(text, 'gb')",
    "hashed_zip(text, null)",
    "hashed_country(text)",
    "hashed_gender(text)",
)
NORMALIZATIONS = (
    "trimmed(text)",
    "null_if_blank(text)",
    "normalized_email(text)",
    "normalized_name(text)",
    "normalized_city(text)",
    "normalized_zip(text, null)",
    "country_code(text)",
    "user_agent(text)",
    "advertising_id(text)",
    "ip_address(text)",
    "folded_name(text)",
    "page_url_without_identifiers(text)",
    "currency_code(text)",
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("macro", "given_text", "digest"),
    [
        ("hashed_email", "Person@Example.com", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"),
        (
            "hashed_email",
            "    test123@example.com  ",
            "20b82517b67108ed3a171539dc5dd1da605660249b02f38dd70f572a545c7d18",
        ),
        ("hashed_name", "John", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"),
        ("hashed_name", "Raphaël", "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"),
        (
            "hashed_name",
            unicodedata.normalize("NFD", "Raphaël"),
            "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7",
        ),
        ("hashed_gender", "male", sha256("m")),
    ],
)
def test_the_worked_examples_of_the_reference(macro: str, given_text: str, digest: str) -> None:
    assert call(macro, given_text) == digest


@pytest.mark.parametrize(
    ("given_text", "meant"),
    [
        ("  a b\u00a0", "a b"),
        ("\ufeff\tx\u200b\r\n", "x"),
        ("\u200e+44 1\u202c", "+44 1"),
        ("", None),
        (" \u3000 ", None),
        ("null", None),
        (" NULL ", None),
        ("undefined", None),
        ("NaN", None),
        ("None", None),
        ("N/A", None),
        ("[object Object]", None),
        ("nullable", "nullable"),
        (None, None),
    ],
)
def test_a_text_that_only_says_there_is_no_value_is_not_present(given_text: str | None, meant: str | None) -> None:
    assert call("null_if_blank", given_text) == meant


def test_a_plain_text_is_seen_to_be_present_as_any_other_would_be() -> None:
    characters = [chr(code) for code in range(0x20, 0x7F)] + ["\u00a0", "\n", "é", "ſ", "\u200b"]
    words = ["null", "undefined", "nan", "none", "n/a", "[object object]"]
    of_words = [word[:length] for word in words for length in range(len(word) + 1)]
    given_texts = (
        characters
        + [before + start for start in of_words for before in characters]
        + [start + after for start in of_words + [word.upper() for word in of_words] for after in characters]
    )
    by_itself = call_each("nullif(empty_if_blank(text), '')", given_texts)
    assert call_each("null_if_blank(text)", given_texts) == by_itself


def test_trimming_leaves_textual_nulls() -> None:
    assert call("trimmed", "\u00a0null\u00a0") == "null"


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("mailto:Person@Example.com", "person@example.com"),
        ("MAILTO: person@example.com", "person@example.com"),
        ("\ufeffPerson@Example.com\u200b", "person@example.com"),
        ("first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("JOSE\u0301@example.com", "josé@example.com"),
        ("Ünal@exämple.de", "ünal@exämple.de"),
        ("पता@उदाहरण.भारत", "पता@उदाहरण.भारत"),
        ("a@xn--exmple-cua.xn--p1ai", "a@xn--exmple-cua.xn--p1ai"),
        ("person", None),
        ("person@localhost", None),
        ("person@example.c", None),
        ("@example.com", None),
        ("person@@example.com", None),
        ("two words@example.com", None),
        ("a@example.com, b@example.com", None),
        ("Person <person@example.com>", None),
        ("person@example..com", None),
        ("person@192.168.0.1", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_no_email_address_is_not_normalized(given_text: str | None, address: str | None) -> None:
    assert call("normalized_email", given_text) == address
    assert call("hashed_email", given_text) == (None if address is None else sha256(address))


@pytest.mark.parametrize("expression", HASHES)
def test_a_digest_passes_through_lower_cased_and_the_empty_one_does_not(expression: str) -> None:
    digest = sha256("person@example.com")
    given_texts = [digest, digest.upper(), f" {digest}\n", EMPTY_DIGEST, EMPTY_DIGEST.upper()]
    assert call_each(expression, given_texts) == [digest, digest, digest, None, None]


# 32 hex digits are an advertising id too: one without its hyphens.
@pytest.mark.parametrize("expression", [hash for hash in HASHES if "advertising" not in hash])
def test_other_digests_and_nothing_are_never_hashed(expression: str) -> None:
    md5, sha1 = hashlib.md5(b"x").hexdigest(), hashlib.sha1(b"x").hexdigest()
    assert call_each(expression, [md5, sha1, md5.upper(), "", "  ", None]) == [None] * 6


@pytest.mark.parametrize(
    ("given_text", "name"),
    [
        ("O'Brien", "obrien"),
        ("O’Brien", "obrien"),
        ("Anne-Marie", "annemarie"),
        ("Mary  Ann", "mary ann"),
        ("Mary\tAnn", "mary ann"),
        ("- John -", "john"),
        ("John 👋", "john"),
        ("ИВАН", "иван"),
        ("李小龍", "李小龍"),
        ("أحمد", "أحمد"),
        ("अनिल", "अनिल"),
        ("123", None),
        ("--", None),
        ("null", None),
    ],
)
def test_names_lose_punctuation_and_keep_letters_of_all_scripts(given_text: str, name: str | None) -> None:
    assert call("normalized_name", given_text) == name
    assert call("hashed_name", given_text) == (None if name is None else sha256(name))


def test_version_2_keeps_the_punctuation_of_names() -> None:
    assert call("hashed_name_v2", "  O'Brien ") == sha256("o'brien")


@pytest.mark.parametrize(
    ("given_text", "gender"),
    [("Male", "m"), ("M", "m"), ("f", "f"), ("W", "f"), ("Frau", "f"), ("männlich", "m"), ("x", None), ("other", None)],
)
def test_gender_is_m_or_f_or_nothing(given_text: str, gender: str | None) -> None:
    assert call("hashed_gender", given_text) == (None if gender is None else sha256(gender))


@pytest.mark.parametrize(
    ("given_text", "user_agent"),
    [(" Mozilla/5.0\r\n (X11) ", "Mozilla/5.0 (X11)"), ("undefined", None), ("\x00", None)],
)
def test_user_agents_lose_control_characters(given_text: str, user_agent: str | None) -> None:
    assert call("user_agent", given_text) == user_agent


@pytest.mark.parametrize(
    ("given_text", "advertising_id"),
    [
        ("AEBE52E7-03EE-455A-B3C4-E57283966239", "aebe52e7-03ee-455a-b3c4-e57283966239"),
        (" aebe52e703ee455ab3c4e57283966239 ", "aebe52e7-03ee-455a-b3c4-e57283966239"),
        ("00000000-0000-0000-0000-000000000000", None),
        ("00000000000000000000000000000000", None),
        ("aebe52e7-03ee-455a-b3c4", None),
        ("aebe52e7-03ee-455a-b3c4-e5728396623g", None),
    ],
)
def test_advertising_ids_are_lower_case_uuids(given_text: str, advertising_id: str | None) -> None:
    assert call("advertising_id", given_text) == advertising_id


@many_rows
@given(texts)
def test_hashing_takes_any_text_and_twice_is_once(values: list[str | None]) -> None:
    for expression in HASHES:
        once = call_each(expression, values)
        assert call_each(expression, once) == once
        assert EMPTY_DIGEST not in once


@many_rows
@given(texts)
def test_normalizing_takes_any_text_and_twice_is_once(values: list[str | None]) -> None:
    for expression in NORMALIZATIONS:
        once = call_each(expression, values)
        assert call_each(expression, once) == once
        assert "" not in once
