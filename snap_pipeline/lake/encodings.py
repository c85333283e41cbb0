"""Encodings of text files: what a file is written in, and its content as UTF-8.

UTF-16 and UTF-32 are recognized by their byte order mark, or by the zeros in the first characters of plain JSON or CSV.
Windows-1252 has no mark. A file is read as such if it holds no UTF-8 and every byte beyond ASCII is where a Western
European language has it; anything else stays as it is, and its lines are quarantined as `not_utf8`. A wrong guess would
hash wrong names without a word.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

UTF_8, WINDOWS_1252 = "utf-8", "cp1252"

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Encodings by byte order mark; that of UTF-32 comes first, since it begins with that of UTF-16."""

UNMARKED = (
    (re.compile(rb"[\t-~]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[\t-~]"), "utf-32-be"),
    (re.compile(rb"[\t-~]\0[\t-~]\0"), "utf-16-le"),
    (re.compile(rb"\0[\t-~]\0[\t-~]"), "utf-16-be"),
)
"""Encodings by the first four bytes of a file, two characters of which are ASCII."""

UTF_8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

_LETTER = rb"[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff]"
NOT_WINDOWS_1252 = re.compile(
    # Bytes that stand for nothing in it.
    rb"[\x81\x8d\x8f\x90\x9d]"
    # Signs within a word, and signs that are letters in Central European code pages.
    rb"|[A-Za-z][\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf\xd7\xf7][A-Za-z]|[\xa3\xaf][A-Za-z]"
    # Many letters with accents in a row: Cyrillic, Greek and others.
    rb"|" + _LETTER + rb"{3}"
    # Letters with accents in no word, except words of one letter.
    rb"|(?<![A-Za-z\x80-\xff ])" + _LETTER + rb"{1,2}(?![A-Za-z\x80-\xff])"
    rb"|(?<![A-Za-z\x80-\xff])" + _LETTER + rb"{1,2}(?![A-Za-z\x80-\xff ])"
)


def encoding_of(content: Iterable[bytes]) -> str:
    """Return the name of the codec that a file's content is to be decoded with; UTF-8 if in doubt."""
    chunks = iter(content)
    first = next(chunks, b"")
    for mark, encoding in MARKS.items():
        if first.startswith(mark):
            return encoding
    for beginning, encoding in UNMARKED:
        if beginning.match(first):
            return encoding
    return WINDOWS_1252 if _is_windows_1252(_with(first, chunks)) else UTF_8


def as_utf_8(content: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield content as UTF-8. What its encoding does not know becomes bytes that are no UTF-8, and is found as such."""
    if encoding == UTF_8:
        yield from content
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if encoding != WINDOWS_1252 else "strict")
    for chunk in content:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"  # half a character


def _is_windows_1252(content: Iterable[bytes]) -> bool:
    found, held = False, b""
    for chunk in _with(b"", content):
        text = held + chunk
        end = (text.rfind(b"\n") + 1) or (text.rfind(b'"') + 1) or len(text)
        text, held = text[:end], text[end:]
        if text.isascii():
            continue
        if UTF_8_SEQUENCE.search(text) or NOT_WINDOWS_1252.search(text):
            return False
        found = True
    if held.isascii():
        return found
    return not (UTF_8_SEQUENCE.search(held) or NOT_WINDOWS_1252.search(held))


def _with(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
