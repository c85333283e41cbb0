"""Text files as lines, with any compression, line breaks and control bytes.

A line ends with `\\n`, `\\r\\n` or a bare `\\r`. The suffix tells the compression, `.gz` or `.zst`. Zeros after the end
of a compressed file (padding) are ignored, as gzip does; anything else after its end is damage.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import duckdb
import zstandard

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.landing import as_text
from snap_pipeline.lake.storage import literal
from snap_pipeline.reasons import Quarantine

MAXIMUM_LINE_BYTES = 16_000_000
PLAIN_CHUNK_BYTES = 1_048_576
COMPRESSED_CHUNK_BYTES = 16_384
"""Size of chunks of compressed files; Zstandard can expand one a thousand times."""

FIELD_SEPARATOR = "\x01"
"""Delimiter for the CSV reader, which requires one. It splits no line, since clean copies do not hold it."""
CLEAN_BYTES = bytes.maketrans(b"\0\x01", b"\x02\x02")
"""Replaces bytes that the CSV reader cannot read by another control byte, which is as invalid in JSON as they are."""


class Decompressor(NamedTuple):
    """One kind of compression: the factory of its decompressor, and the quarantine reason of a damaged file."""

    start: Callable[[], Any]
    damage: Quarantine


DECOMPRESSORS = {
    ".gz": Decompressor(lambda: zlib.decompressobj(wbits=31), Quarantine.DAMAGED_GZIP),
    ".zst": Decompressor(lambda: zstandard.ZstdDecompressor().decompressobj(), Quarantine.DAMAGED_ZSTD),
}


class DamagedFile(Exception):
    """A compressed file that is truncated, has a wrong checksum, or is not compressed at all.

    Attributes:
        reason: the quarantine reason.
    """

    def __init__(self, reason: Quarantine) -> None:
        super().__init__(reason)
        self.reason = reason


def content_of(path: Path) -> Iterator[bytes]:
    """Yield a file's content in chunks, decompressed.

    Raises:
        DamagedFile: it cannot be decompressed to its end.
        LakeError: it cannot be read.
    """
    decompressor = DECOMPRESSORS.get(path.suffix.lower())
    try:
        with path.open("rb") as stream:
            if decompressor:
                yield from _decompressed(stream, decompressor)
            else:
                while chunk := stream.read(PLAIN_CHUNK_BYTES):
                    yield chunk
    except OSError as error:
        raise LakeError(
            f"{as_text(str(path))} cannot be read: {error.strerror or error}. Fix its permissions or its disk, or "
            "take it away, and run this again; what was made before is intact."
        ) from error


def is_for_duckdb(name: str) -> bool:
    """Tell whether DuckDB can read a file itself.

    It cannot open a name that is no UTF-8, and accepts a truncated Zstandard file as complete.
    """
    return as_text(name) == name and not name.lower().endswith(".zst")


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield a file's lines with their line breaks.

    Raises:
        DamagedFile: it cannot be decompressed to its end.
        LakeError: it cannot be read.
    """
    rest = b""
    for chunk in content_of(path):
        *lines, rest = (rest + chunk).splitlines(keepends=True) or [b""]
        yield from lines
        if rest.endswith(b"\n"):
            yield rest
            rest = b""
    if rest:
        yield rest


def open_for_writing(path: Path, suffix: str) -> IO[bytes]:
    """Open a file for writing, with the compression of a suffix."""
    if suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path, "wb"))
    if suffix.lower() == ".zst":
        return cast("IO[bytes]", zstandard.open(path, "wb"))
    return path.open("wb")


def write_clean_copy(path: Path, copy: Path) -> bool:
    """Write a copy in which the CSV reader sees the same lines: decompressed, with `\\n`, without NUL bytes.

    Returns:
        True if the file has NUL bytes, as binary files and UTF-16 do.

    Raises:
        DamagedFile: it cannot be decompressed to its end.
        LakeError: it cannot be read.
        OSError: the copy cannot be written.
    """
    has_nul, held = False, b""
    with copy.open("wb") as stream:
        for content in content_of(path):
            has_nul = has_nul or b"\0" in content
            chunk = held + content
            held = b"\r" if chunk.endswith(b"\r") else b""  # its \n may come with the next chunk
            chunk = chunk.removesuffix(b"\r") if held else chunk
            stream.write(chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").translate(CLEAN_BYTES))
        stream.write(b"\n" if held else b"")
    return has_nul


def read_lines(connection: duckdb.DuckDBPyConnection, copy: Path) -> None:
    """Create the tables `read_lines` (position, line) and `reject_errors` (rejected lines) of a clean copy.

    Args:
        connection: gets the tables; those of an earlier file are replaced.
        copy: written by `write_clean_copy`.
    """
    connection.execute(
        f"""
        drop table if exists reject_errors;
        drop table if exists reject_scans;
        create or replace temp table read_lines as
        select row_number() over () as position, line
        from read_csv(
            {literal(as_pattern(copy))}, columns = {{'line': 'VARCHAR'}}, auto_detect = false, header = false,
            delim = '{FIELD_SEPARATOR}', quote = '', escape = '', strict_mode = false, new_line = '\\n',
            max_line_size = {MAXIMUM_LINE_BYTES}, store_rejects = true
        )
        """
    )


def as_pattern(path: Path) -> str:
    """Return the glob pattern that matches exactly one path, since DuckDB reads file names as patterns."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _decompressed(stream: IO[bytes], decompressor: Decompressor) -> Iterator[bytes]:
    member = None
    is_first = True
    while chunk := stream.read(COMPRESSED_CHUNK_BYTES):
        while chunk := chunk if is_first or member else chunk.lstrip(b"\0"):
            member = member or decompressor.start()
            is_first = False
            try:
                yield member.decompress(chunk)
            except (zlib.error, zstandard.ZstdError) as error:
                raise DamagedFile(decompressor.damage) from error
            chunk, member = (member.unused_data, None) if member.eof else (b"", member)
    if member:
        raise DamagedFile(decompressor.damage)
