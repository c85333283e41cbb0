"""Atomic, durable writing of files: the one way in which this project puts a file into its place.

Content goes to a draft under a hidden name, is flushed to disk, moves to its own name, and the folder is flushed too:
after that a power cut takes nothing back. A reader sees the old file or the new one, never half of one.

A killed process leaves its draft behind, with the people in it that the file would have held. All drafts below the
root of lake or landing zone lie in folders that only their owner can read, in the root or in one of its folders (which
may be a mount of its own), so that abandoned ones are found by a listing and not by a walk. Drafts of dbt lie in the
lake's root itself, those of the home's own files beside them.
"""

import os
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DRAFTS_FOLDER = ".drafts"
SPILL_FOLDER = ".spill"
"""The folder of the lake to which DuckDB spills what does not fit into memory."""

ABANDONED_AFTER_SECONDS = 3_600
"""Drafts that were idle for this long are abandoned: no living process leaves its draft for anything near it. Deleting
one that is not costs a repetition, since its rename fails, and with it the step."""

HEX_DIGITS = "[0-9a-f]" * 32


@contextmanager
def atomic_write(path: Path, draft: Path, *, replace: bool = True, durable: bool = True) -> Iterator[Path]:
    """Yield a draft to write, and move it to a file's place when the block ends without an error.

    Args:
        path: of the file; its folder is made.
        draft: on the same file system, such as `new_draft` returns.
        replace: overwrite a file that is there; otherwise that one stays as it is.
        durable: flush file and folder. False suits only a cache whose reader takes a broken file for none.

    Raises:
        OSError: the file cannot be written; one that was there is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        if durable:
            flush(draft)
        if replace:
            draft.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(draft, path)
        if durable:
            flush(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names_in(folder: str | Path) -> list[str]:
    """Return the names in a folder; none where it is missing. Thousands of hours are listed, so that each counts."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - no path is made of most of them
    except (FileNotFoundError, NotADirectoryError):
        return []


def new_draft(root: Path, path: Path) -> Path:
    """Return the path of a draft of a file below a root, in a folder that is made."""
    top, *below = path.relative_to(root).parts
    # A folder that holds files itself, such as an hour's in a flat layout, can be removed when they are gone.
    folder = root / top / DRAFTS_FOLDER if len(below) > 1 else root / DRAFTS_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f".{uuid.uuid4().hex}.tmp"


def private_draft(path: Path) -> Path:
    """Create an empty draft beside a file, in a folder that is made; only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    return Path(draft)


def drafts(root: Path, *, everywhere: bool) -> Iterator[Path]:
    """Yield the drafts below a root, and what else holds copies of its rows: spilled memory and snapshots.

    Args:
        root: of the lake or the landing zone.
        everywhere: walk the whole root for those of versions that had them beside their files, and for snapshots.
    """
    yield from root.glob(f"{DRAFTS_FOLDER}/*")
    yield from root.glob(f"*/{DRAFTS_FOLDER}/*")
    yield from root.glob(".*.tmp")
    own_spill = f"duckdb_temp_{os.getpid()}_"
    yield from (path for path in root.glob(f"{SPILL_FOLDER}/*") if not path.name.startswith(own_spill))
    if everywhere:
        yield from (
            path
            for path in root.rglob(f".{HEX_DIGITS}.tmp")
            if path.parent.name != DRAFTS_FOLDER and path.parent != root
        )
        yield from root.glob("delivery_*/hour=*/destination=*/*.tmp")
        # Older versions named it without the underscore.
        yield from root.glob("delivery_intents/hour=*/destination=*/*payloads.pinned")


def delete_abandoned(paths: Iterable[Path]) -> list[Path]:
    """Delete the drafts that are abandoned, and return the others and those that cannot be deleted."""
    left = []
    for path in paths:
        try:
            status = path.stat()
            # A snapshot is a link to a partition, whose content is as old as the partition.
            touched = status.st_ctime if path.suffix == ".pinned" else status.st_mtime
            if time.time() - touched > ABANDONED_AFTER_SECONDS:
                path.unlink()
            else:
                left.append(path)
        except FileNotFoundError:
            continue
        except OSError:
            left.append(path)
    return left
