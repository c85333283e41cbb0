"""Redaction: take a secret out of text that somebody else wrote, be it whole, encoded or cut.

A gateway that repeats the address of a request repeats the access token in it, as it stands, percent-encoded, inside
JSON, and cut where its message was full.
"""

import html
import re
from collections.abc import Iterable
from itertools import groupby
from urllib.parse import unquote

TELLING_CHARACTERS = 8
"""A piece of a secret this long is taken out wherever it stands. Shorter ones occur in ordinary words."""
HIDDEN = "…"
LAYERS = 8
"""The layers of encoding that are undone. A text in more of them was made to be slow to read, and is hidden whole."""
JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)


class Redaction:
    """Replaces secrets, and pieces of them, by an ellipsis.

    Args:
        secrets: in plain text, none of them empty.
    """

    __slots__ = ("_pieces",)

    def __init__(self, *secrets: str) -> None:
        self._pieces = [set(_pieces_of(secret)) for secret in secrets]

    def __call__(self, text: str) -> str:
        """Return the text without the secrets; it comes back decoded where one was encoded in it."""
        shown = self._without(text)
        plain = shown
        for _ in range(LAYERS):
            plainer = _decoded(plain)
            if plainer == plain:
                return shown
            plain = self._without(plainer)
            if plain != plainer:
                shown = plain
        return HIDDEN

    def _without(self, text: str) -> str:
        hidden: set[int] = set()
        for pieces in self._pieces:
            size = len(next(iter(pieces)))
            for start in range(len(text) - size + 1):
                if text[start : start + size] in pieces:
                    hidden.update(range(start, start + size))
        if not hidden:
            return text
        runs = groupby(enumerate(text), key=lambda each: each[0] in hidden)
        return "".join(HIDDEN if is_hidden else "".join(each for _, each in run) for is_hidden, run in runs)


def _pieces_of(secret: str) -> Iterable[str]:
    size = min(TELLING_CHARACTERS, len(secret))
    return (secret[start : start + size] for start in range(len(secret) - size + 1))


def _decoded(text: str) -> str:
    """Undo one layer of JSON escapes, HTML entities and percent-encoding. Each of them only makes a text shorter."""
    return unquote(html.unescape(JSON_ESCAPE.sub(_unescaped, text)))


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else escape[3]
