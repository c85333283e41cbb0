"""A search for a secret in all files of the pipeline, also inside compressed files."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import duckdb

PIECE = 8
"""Characters of a secret that count as a part of it."""


def leaks_of(secret: str, *folders: Path) -> list[str]:
    """Return the names of files that hold the secret or a piece of it, also percent-encoded."""
    return [
        str(path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and holds(_text_of(path), secret)
    ]


def holds(text: str, secret: str) -> bool:
    """Tell whether a text holds a piece of a secret."""
    return any(piece in each for each in (text, unquote(text), unquote(unquote(text))) for piece in _pieces(secret))


def _pieces(secret: str) -> Iterator[str]:
    return (secret[start : start + PIECE] for start in range(0, len(secret) - PIECE + 1, PIECE // 2))


def _text_of(path: Path) -> str:
    if path.suffix != ".parquet":
        return path.read_bytes().decode("latin-1")
    with duckdb.connect() as connection:
        return str(connection.execute("from read_parquet(?, hive_partitioning = false)", [str(path)]).fetchall())
