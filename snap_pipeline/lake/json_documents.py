"""JSON documents that are not one a line: without line breaks between them, over several lines, in lists.

Files of delivery streams hold objects without anything between them; exports are one list, or indented. They are split
into a document a line, so that the rest of the pipeline reads lines. Damage costs the document that it is in: reading
goes on where the next one is certain to begin. A document counts only if another one, or nothing, follows it: in
`{"a": 1}, "consent": …` a brace was lost or added, and the object is not what it seems.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.landing import as_text

HEAD_CHARACTERS = 1_048_576
"""So much of a file tells whether it has an object a line."""

SEPARATORS = re.compile(r"[\s,\ufeff\x02]*")
"""Characters between documents besides brackets; `\\x02` stands for control bytes in a clean copy."""
AFTER_DOCUMENT = re.compile(r"[ \t]*,?[ \t]*(?:[\n\[\]{\x02]|\Z)")

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


class Piece(NamedTuple):
    """A part of a text.

    Attributes:
        line_number: the line that it begins in, from 1.
        text: the document as it is written, or the text of a damaged one.
        is_whole: whether it is a document.
    """

    line_number: int
    text: str
    is_whole: bool


class DocumentSplitter:
    """Splitter of a text that comes in parts.

    Args:
        lookahead: so many characters of a document have to be there, unless the text ends, before it can be called
            damaged.
    """

    def __init__(self, lookahead: int) -> None:
        self._lookahead = lookahead
        self._rest = ""
        self._line_number = 1
        self._indent = ""
        self._open_lists = 0
        self._is_damaged = False
        self._next_document: re.Pattern[str] | None = None
        """Position of the next document, while the rest of a damaged one is skipped."""

    def pieces(self, part: str, *, is_last: bool) -> Iterator[Piece]:
        """Yield the pieces that are complete with this part of the text."""
        text, place = self._rest + part, 0
        while True:
            if self._next_document:
                begun = self._next_document.search(text, place)
                if not begun and not is_last:
                    place = len(text)
                    break
                place = self._advance(text, place, begun.end() if begun else len(text))
                self._next_document = None
            found = SEPARATORS.match(text, place)
            place = self._advance(text, place, found.end() if found else place)
            if place == len(text):
                break
            if text[place] == "[" or (text[place] == "]" and (self._open_lists or self._is_damaged)):
                self._open_lists += 1 if text[place] == "[" else -1
                place = self._advance(text, place, place + 1)
                continue
            if len(text) - place < self._lookahead and not is_last:
                break
            number = self._line_number
            end = _end_of_document(text, place)
            if end is not None:
                yield Piece(number, text[place:end], is_whole=True)
            else:
                self._is_damaged = True
                next_document = _beginning_after(self._indent)
                begun = next_document.search(text, place + 1)
                end = begun.end() if begun else len(text)
                yield Piece(number, text[place:end], is_whole=False)
                self._next_document = None if begun else next_document
            place = self._advance(text, place, end)
        self._rest = "" if is_last else text[place:]
        # Which lists a damaged part opened or closed is not known.
        if is_last and self._open_lists and not self._is_damaged:
            yield Piece(self._line_number, "[", is_whole=False)

    def _advance(self, text: str, place: int, end: int) -> int:
        """Count the lines up to a place, and note the indent of the line that it is in."""
        breaks = text.count("\n", place, end)
        if breaks or (self._line_number == 1 and not self._rest and place == 0):
            line = text[text.rfind("\n", place, end) + 1 : end]
            self._indent = line[: len(line) - len(line.lstrip(" \t"))]
        self._line_number += breaks
        return end


def split_documents(text: str) -> list[str] | None:
    """Return the documents of one line and its damaged parts; None if it holds no complete object."""
    pieces = list(DocumentSplitter(0).pieces(text, is_last=True))
    if not any(piece.is_whole and piece.text.startswith("{") for piece in pieces):
        return None
    return [piece.text for piece in pieces]


def rewrite_by_document(copy: Path, lookahead: int) -> list[int] | None:
    """Rewrite a clean copy to a document a line, unless it has that already.

    Args:
        copy: a text file with `\\n` between lines.
        lookahead: the length of the longest document.

    Returns:
        The number of the line that each document began in; None if the copy was left as it is.

    Raises:
        LakeError: the copy cannot be written.
    """
    numbers: list[int] = []
    draft = copy.with_name(f"{copy.name}.documents.tmp")
    try:
        with copy.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            head = stream.read(HEAD_CHARACTERS)
            if not _is_split_otherwise(head, is_all=len(head) < HEAD_CHARACTERS):
                return None
            splitter, part = DocumentSplitter(lookahead), head
            with draft.open("w", encoding="utf-8", errors="surrogateescape", newline="") as by_document:
                while part:
                    following = stream.read(max(lookahead, HEAD_CHARACTERS))
                    for piece in splitter.pieces(part, is_last=not following):
                        numbers.append(piece.line_number)
                        by_document.write(piece.text.strip().replace("\n", " ") + "\n")
                    part = following
        draft.replace(copy)
    except OSError as error:
        raise LakeError(f"{as_text(str(copy))} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return numbers


def _is_split_otherwise(head: str, *, is_all: bool) -> bool:
    """Tell from the beginning of a text whether its documents are not one a line."""
    line, line_break, rest = head.lstrip("\ufeff\x02 \t\n").partition("\n")
    line = line.rstrip(" \t")
    if not line.startswith(("{", "[")):
        return False
    end = _end_of_value(line, 0)
    if end == len(line) and (line_break or is_all):
        return False
    if line.startswith("[") or line == "{":
        return True
    if end is not None:
        return AFTER_DOCUMENT.match(line, end) is not None
    return _end_of_document(f"{line}\n{rest}", 0) is not None


def _beginning_after(indent: str) -> re.Pattern[str]:
    """Return the pattern of where a document may begin after a damaged one, which is where its match ends.

    Within JSON, an object begins only after `[`, `:`, `,` or a blank. A line that is indented as the damaged document's
    first line was, and does not close anything, begins something new.
    """
    return re.compile(
        rf"(?<=[^\[:,\s])(?=\{{\s*\")|\}}[ \t]*(?=\{{)|\n{indent}\}}[ \t]*,[ \t]*(?=\{{)|\n{indent}(?=[^\s}}\]])"
    )


def _end_of_document(text: str, place: int) -> int | None:
    end = _end_of_value(text, place)
    return end if end is not None and AFTER_DOCUMENT.match(text, end) else None


def _end_of_value(text: str, place: int) -> int | None:
    try:
        return _DECODER.raw_decode(text, place)[1]
    except (ValueError, RecursionError):
        return None
