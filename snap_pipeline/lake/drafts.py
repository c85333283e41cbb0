"""Drafts: files that are written under a hidden name, and appear under their own name by rename.

A killed process leaves its draft behind, with the people in it that the file would have held. All drafts below a root
lie in folders that are their owner's alone, in the root or in one of its folders (which may be a mount of its own), so
that abandoned ones are found by a listing and not by a walk. Those that dbt writes lie in the lake's root itself.
"""

import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDER = ".drafts"
SPILL_FOLDER = ".spill"
"""The folder of the lake to which DuckDB spills what does not fit into memory."""

ABANDONED_AFTER_SECONDS = 3_600
"""Seconds of idleness, far longer than a living process leaves its draft. One that is deleted all the same costs a
repetition: its rename fails, and with it the step."""

HEX_DIGITS = "[0-9a-f]" * 32


def new_draft(root: Path, path: Path) -> Path:
    """Return the path of a draft that can be renamed to a file below a root."""
    top, *below = path.relative_to(root).parts
    # A folder that holds files itself, such as an hour's in a flat layout, can be removed when they are gone.
    folder = root / top / FOLDER if len(below) > 1 else root / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f".{uuid.uuid4().hex}.tmp"


def drafts(root: Path, *, everywhere: bool) -> Iterator[Path]:
    """Yield the drafts below a root, and what else holds copies of its rows: spilled memory and pinned payloads.

    Args:
        root: of the lake or the landing zone.
        everywhere: walk the whole root for those of versions that had them beside their files, and for pins.
    """
    yield from root.glob(f"{FOLDER}/*")
    yield from root.glob(f"*/{FOLDER}/*")
    yield from root.glob(".*.tmp")
    own_spill = f"duckdb_temp_{os.getpid()}_"
    yield from (path for path in root.glob(f"{SPILL_FOLDER}/*") if not path.name.startswith(own_spill))
    if everywhere:
        yield from (
            path for path in root.rglob(f".{HEX_DIGITS}.tmp") if path.parent.name != FOLDER and path.parent != root
        )
        # Older versions named it without the underscore.
        yield from root.glob("delivery_intents/hour=*/destination=*/*payloads.pinned")


def delete_abandoned(paths: Iterable[Path]) -> list[Path]:
    """Delete the drafts that are abandoned, and return the others and those that cannot be deleted."""
    left = []
    for path in paths:
        try:
            status = path.stat()
            # A pin is a link to a partition, whose content is as old as the partition.
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
