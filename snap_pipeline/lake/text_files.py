"""Text files as lines, with any compression, encoding, line breaks and control bytes.

A line ends with `\\n`, `\\r\\n` or a bare `\\r`. The suffix tells the compression, `.gz` or `.zst`. Zeros after the end
of a compressed file (padding) are ignored, as gzip does; anything else after its end is damage. What precedes damage is
read as far as members (of gzip) or frames (of Zstandard) are whole: the content of a broken one is not verified.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import zstandard

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.encodings import as_utf_8, encoding_of
from snap_pipeline.lake.landing import as_text
from snap_pipeline.reasons import Quarantine

MAXIMUM_LINE_BYTES = 16_000_000
PLAIN_CHUNK_BYTES = 1_048_576
COMPRESSED_CHUNK_BYTES = 16_384
"""Size of chunks of compressed files; Zstandard can expand one a thousand times."""

CLEAN_BYTES = bytes.maketrans(b"\x01", b"\x02")
"""Replaces a byte that the CSV reader cannot read by another control byte, which is as invalid in JSON as it is."""
HOLE_BYTES = 512
HOLE = re.compile(rb"(?<=[^\0\r\n])\0{%d,}(?=[^\0\r\n])" % HOLE_BYTES)
"""NUL bytes that stand for content lost in a crash, a block of the disk or more. Without them, the beginning of one
event and the end of another could make one event."""


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
        content_bytes: the size of the content before the damage, in whole members.
        packed_bytes: the size of these members in the file.
    """

    def __init__(self, reason: Quarantine, content_bytes: int, packed_bytes: int) -> None:
        super().__init__(reason)
        self.reason, self.content_bytes, self.packed_bytes = reason, content_bytes, packed_bytes


@dataclass(frozen=True)
class CleanCopy:
    """Outcome of writing a clean copy.

    Attributes:
        encoding: the codec that the file was decoded with.
        nul_bytes: the number of NUL bytes that were left out.
        damage: that of a compressed file, after the content of the copy.
    """

    encoding: str
    nul_bytes: int
    damage: DamagedFile | None


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


def write_clean_copy(path: Path, copy: Path) -> CleanCopy:
    """Write a copy in which the CSV reader sees the same lines: decompressed, as UTF-8, with `\\n`, without NUL bytes.

    Raises:
        DamagedFile: no member of it can be decompressed.
        LakeError: it cannot be read.
        OSError: the copy cannot be written.
    """
    damage = _damage_of(path)
    encoding = encoding_of(_sound_content(path, damage))
    nul_bytes, held = 0, b""
    with copy.open("wb") as stream:
        for content in as_utf_8(_sound_content(path, damage), encoding):
            # A line break may be completed by the next chunk, and a hole ended.
            chunk = held + content
            end = _held_from(chunk)
            chunk, held = chunk[:end], chunk[end:]
            if len(held) > 2 * HOLE_BYTES:
                nul_bytes += len(held) - 2 * HOLE_BYTES
                held = held[: 2 * HOLE_BYTES]
            nul_bytes += chunk.count(b"\0")
            stream.write(_clean(chunk))
        nul_bytes += held.count(b"\0")
        stream.write(_clean(held))
    return CleanCopy(encoding, nul_bytes, damage)


def as_pattern(path: Path) -> str:
    """Return the glob pattern that matches exactly one path, since DuckDB reads file names as patterns."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _damage_of(path: Path) -> DamagedFile | None:
    """Return the damage of a compressed file that has whole members before it.

    Raises:
        DamagedFile: it has none.
    """
    if path.suffix.lower() in DECOMPRESSORS:
        try:
            for _ in content_of(path):
                pass
        except DamagedFile as damage:
            if not damage.content_bytes:
                raise
            return damage
    return None


def _sound_content(path: Path, damage: DamagedFile | None) -> Iterator[bytes]:
    """Yield a file's content up to its damage."""
    if not damage:
        yield from content_of(path)
        return
    left = damage.content_bytes
    for chunk in content_of(path):
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def _held_from(chunk: bytes) -> int:
    """Return where the end of a chunk begins that cannot be cleaned without the next one."""
    end = len(chunk.rstrip(b"\0"))
    return max(end - 1, 0) if end < len(chunk) or chunk.endswith(b"\r") else end


def _clean(chunk: bytes) -> bytes:
    if b"\0" in chunk:
        chunk = HOLE.sub(b"\x02", chunk).replace(b"\0", b"")
    return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").translate(CLEAN_BYTES)


def _decompressed(stream: IO[bytes], decompressor: Decompressor) -> Iterator[bytes]:
    member = None
    is_first = True
    content_bytes, whole, packed = 0, 0, 0
    while chunk := stream.read(COMPRESSED_CHUNK_BYTES):
        while chunk := chunk if is_first or member else chunk.lstrip(b"\0"):
            member = member or decompressor.start()
            is_first = False
            try:
                content = member.decompress(chunk)
            except (zlib.error, zstandard.ZstdError) as error:
                raise DamagedFile(decompressor.damage, whole, packed) from error
            content_bytes += len(content)
            yield content
            chunk, member = (member.unused_data, None) if member.eof else (b"", member)
            if member is None:
                whole, packed = content_bytes, stream.tell() - len(chunk)
    if member:
        raise DamagedFile(decompressor.damage, whole, packed)
