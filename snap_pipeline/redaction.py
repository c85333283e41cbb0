"""Redaction: removes a secret from text that others wrote, even if the secret is encoded or cut off.

A gateway that quotes the address of a request quotes the access token in it: as it is, percent-encoded, inside JSON,
or cut off at the length limit of its message.
"""

import html
import re
from collections.abc import Iterable
from itertools import groupby
from urllib.parse import unquote

MIN_PIECE_LENGTH = 8
"""Characters of a secret that are redacted wherever they occur together; shorter pieces occur in ordinary words."""
ELLIPSIS = "…"
MAX_ENCODING_LAYERS = 8
"""Layers of encoding to undo. Text with more layers is an attack on the redaction's running time: hide all of it."""
JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)


class Redaction:
    """A function that replaces secrets, and pieces of them, by an ellipsis.

    Args:
        secrets: in plain text, none of them empty.
    """

    __slots__ = ("_pieces",)

    def __init__(self, *secrets: str) -> None:
        self._pieces = [set(_split_into_pieces(secret)) for secret in secrets]

    def __call__(self, text: str) -> str:
        """Return the text without the secrets, decoded if a secret was encoded in it."""
        visible = self._redact(text)
        plain = visible
        for _ in range(MAX_ENCODING_LAYERS):
            decoded = _decode_layer(plain)
            if decoded == plain:
                return visible
            plain = self._redact(decoded)
            if plain != decoded:
                visible = plain
        return ELLIPSIS

    def _redact(self, text: str) -> str:
        hidden: set[int] = set()
        for pieces in self._pieces:
            size = len(next(iter(pieces)))
            for start in range(len(text) - size + 1):
                if text[start : start + size] in pieces:
                    hidden.update(range(start, start + size))
        if not hidden:
            return text
        groups = groupby(enumerate(text), key=lambda each: each[0] in hidden)
        return "".join(ELLIPSIS if is_hidden else "".join(each for _, each in group) for is_hidden, group in groups)


def _split_into_pieces(secret: str) -> Iterable[str]:
    size = min(MIN_PIECE_LENGTH, len(secret))
    return (secret[start : start + size] for start in range(len(secret) - size + 1))


def _decode_layer(text: str) -> str:
    """Undo one layer of JSON escapes, HTML entities and percent-encoding; each of these only shortens the text."""
    return unquote(html.unescape(JSON_ESCAPE.sub(_unescape, text)))


def _unescape(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else escape[3]
