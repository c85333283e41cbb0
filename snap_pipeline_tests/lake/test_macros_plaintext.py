"""E-mail addresses and phone numbers inside other texts: their detection and removal."""

import html
from urllib.parse import quote

import pytest
from hypothesis import given

from snap_pipeline_tests.lake.macros import call, call_each, many_rows, texts

ADDRESSES = (
    "ada@example.com",
    "ada.l+x@example.co.uk",
    "o'neil@example.com",
    "ada'@example.com",
    '"ada l"@example.com',
    "анна@почта.рф",
    "ada@例え.中国",
    "ada@exämple.de",
    "ada@xn--e1afmkfd.xn--p1ai",
    "ada@my_shop.example.com",
    "ada＠example．com",
    "a\u200bda@exam\u00adple.com",
)
NUMBERS = (
    "+44 7700 900123",
    "+447700900123",
    "+44 (0) 7700-900.123",
    "＋４４７７００９００１２３",
    "+٤٤٧٧٠٠٩٠٠١٢٣",
    "tel:07700900123",
    "Tel: +44 7700 900123",
    "+44\t7700\n900123",
    "+      44 7700 900123",
)
ENCODINGS = {
    "written out": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent-encoded three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "as decimal entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "as hexadecimal entities": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "as entities with leading zeros": lambda text: "".join(f"&#x{ord(character):08x};" for character in text),
    "as named entities": lambda text: text.replace("@", "&commat;").replace("+", "&plus;").replace(" ", "&nbsp;"),
    "as escapes of JSON": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "as entities of entities": lambda text: html.escape("".join(f"&#{ord(character)};" for character in text)),
    "as entities in an address": lambda text: quote("".join(f"&#{ord(character)};" for character in text), safe=""),
    "beside bytes that are no UTF-8": lambda text: f"%ff {quote(text, safe='')}",
}


@pytest.mark.parametrize("way", ENCODINGS)
def test_plaintext_is_seen_and_taken_out_however_it_is_encoded(way: str) -> None:
    for plaintext in (*ADDRESSES, *NUMBERS):
        given_text = f"where is {ENCODINGS[way](plaintext)} please"
        assert call("has_plaintext", given_text), given_text
        left = call("without_plaintext", given_text)
        assert left.startswith("where is ") and left.endswith(" please")
        assert not any(part in left for part in ("ada", "example", "7700", "почта", "例え")), left
        assert not call("has_plaintext", left)


@pytest.mark.parametrize(
    ("given_text", "without"),
    [
        ("shoes for ada@example.com please", "shoes for  please"),
        ("ada&commat;example.com", None),
        ("mailto:ada@example.com", "mailto:"),
        ("/?@a@b.de", "/?@"),
        ("/@ada@mastodon.example", "/@"),
        ("ada@example.com, +44 7700 900123", ", "),
        ("ada@example.com+447700900123", None),
        ("10%25 off for ada%40example.com", "10% off for "),
        ("@example, 2 @ 3.50", "@example, 2 @ 3.50"),
        ("https://tube.example/@brand.shop", "https://tube.example/@brand.shop"),
        (
            "https://cdn.example.com/npm/lodash@4.17.21/lodash.js",
            "https://cdn.example.com/npm/lodash@4.17.21/lodash.js",
        ),
        ("50%40off &amp; more", "50%40off &amp; more"),
        ("ada at example.com", "ada at example.com"),
        # Without a + it may as well be an order or an article.
        ("00447700900123", "00447700900123"),
        ("nike+1234567", "nike+1234567"),
        ("2026-11-20T12:00:00+0100", "2026-11-20T12:00:00+0100"),
        ("+44 77", "+44 77"),
        ("shoes", "shoes"),
        ("", ""),
        (None, None),
    ],
)
def test_what_is_plaintext_and_what_is_not(given_text: str | None, without: str | None) -> None:
    assert call("without_plaintext", given_text) == without


@many_rows
@given(texts)
def test_none_is_left_in_any_text(values: list[str | None]) -> None:
    spoken = [text and f"{text}ada@example.com{text}+447700900123" for text in values]
    assert not any(call_each("has_plaintext(without_plaintext(text))", spoken))
    assert call_each("has_plaintext(text) or text is not distinct from without_plaintext(text)", values) == [
        True
    ] * len(values)
