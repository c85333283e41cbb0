"""Atomic, durable file writes: every module that writes a file uses these functions.

Content goes to a draft with a hidden name, which is flushed to disk and renamed; then the folder is flushed too, so
that the file survives a power cut. A reader sees the old file or the new one, never a part.

A killed process leaves its draft behind, with the personal data that the file would have held. So the drafts of lake
and landing zone are in folders that only their owner can read: in the root, or in one of its folders (which may be a
mount of its own). Abandoned drafts are then found by listing a few folders instead of walking all of them. Drafts of
dbt are in the lake's root itself, drafts of the home's own files beside those files, and drafts of the collector in
their hour's folder, as readable as the files that they become within a minute.
"""

import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DRAFTS_FOLDER = ".drafts"
SPILL_FOLDER = ".spill"
"""The folder of the lake into which DuckDB spills data that does not fit into memory."""

ABANDONED_AFTER_SECONDS = 3_600
"""Drafts that were idle for this long are abandoned: no living process pauses nearly as long. Deleting one by mistake
costs a retry, since the rename fails and with it the step."""

COPIED_RESOLUTIONS_NS = (1_000, 1_000_000, 1_000_000_000)
"""Resolutions to which copies cut off modification times: microseconds, milliseconds, seconds."""

DRAFT_BESIDE_ITS_FILE = re.compile(r"\.[0-9a-f]{32}\.tmp")
"""Names of drafts of versions that wrote them beside their files."""


@contextmanager
def atomic_write(path: Path, draft: Path, *, replace: bool = True, durable: bool = True) -> Iterator[Path]:
    """Yield a draft to write, and rename it to the file when the block ends without an error.

    Args:
        path: of the file; its folder is created.
        draft: a path on the same file system, such as one from `new_draft`.
        replace: overwrite an existing file; otherwise keep it.
        durable: flush file and folder. False is only for a cache whose reader ignores a broken file.

    Raises:
        OSError: the file cannot be written; an existing one is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        if durable:
            flush(draft)
        try:
            _move(draft, path, replace=replace)
        except FileNotFoundError:
            # Whoever deleted the last file of the folder may have removed it in between.
            path.parent.mkdir(parents=True, exist_ok=True)
            _move(draft, path, replace=replace)
        if durable:
            flush(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _move(draft: Path, path: Path, *, replace: bool) -> None:
    if replace:
        draft.replace(path)
    else:
        with suppress(FileExistsError):
            os.link(draft, path)


def flush(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_same_moment(modified_ns: int, copied_ns: int) -> bool:
    """Tell whether two modification times are the same, as far as a copy keeps them.

    Archives and file systems cut times off, mostly to whole seconds (GNU tar does). A time that somebody wrote is
    practically never whole, so that a file which is replaced within a second still differs.
    """
    return modified_ns == copied_ns or any(
        modified_ns // unit == copied_ns // unit and 0 in (modified_ns % unit, copied_ns % unit)
        for unit in COPIED_RESOLUTIONS_NS
    )


def names_in(folder: str | Path) -> list[str]:
    """Return the names in a folder, none if it is missing; fast, since it runs for thousands of hours."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - most names never become a path
    except (FileNotFoundError, NotADirectoryError):
        return []


def new_draft(root: Path, path: Path) -> Path:
    """Return the path of a new draft of a file below a root, and create the draft's folder."""
    top, *below = path.relative_to(root).parts
    # Not in a folder that holds files itself, such as an hour's in a flat layout: it is removed once it is empty.
    folder = root / top / DRAFTS_FOLDER if len(below) > 1 else root / DRAFTS_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f".{uuid.uuid4().hex}.tmp"


def private_draft(path: Path) -> Path:
    """Create an empty draft beside a file, readable by its owner only; the folder is created if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    return Path(draft)


def drafts(root: Path, *, everywhere: bool) -> Iterator[Path]:
    """Yield the drafts below a root, and other copies of its rows: spilled memory and snapshots.

    Args:
        root: of the lake or the landing zone.
        everywhere: also walk the whole root, for snapshots and for drafts that older versions left beside their files.
    """
    yield from root.glob(f"{DRAFTS_FOLDER}/*")
    yield from root.glob(f"*/{DRAFTS_FOLDER}/*")
    yield from root.glob(".*.tmp")
    own_spill = f"duckdb_temp_{os.getpid()}_"
    yield from (path for path in root.glob(f"{SPILL_FOLDER}/*") if not path.name.startswith(own_spill))
    if everywhere:
        # A walk, since a glob fails where another process removes a folder meanwhile.
        for folder, _, names in os.walk(root):
            if Path(folder) != root and not folder.endswith(f"/{DRAFTS_FOLDER}"):
                is_ledger = "/destination=" in folder
                # Older versions named the snapshot without the underscore.
                yield from (
                    Path(folder, name)
                    for name in names
                    if DRAFT_BESIDE_ITS_FILE.fullmatch(name)
                    or (is_ledger and name.endswith((".tmp", "payloads.pinned")))
                )


def delete_abandoned(paths: Iterable[Path]) -> list[Path]:
    """Delete abandoned drafts, and return those that are still in use or cannot be deleted."""
    left = []
    for path in paths:
        try:
            status = path.stat()
            # A snapshot is a hard link to a partition, so that its mtime is that of the partition.
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
