"""Who is to be forgotten: digests that `snap-pipeline forget` wrote, and that every later reading of an hour obeys.

One file a request at `<lake>/tombstones/`. What a request finds and rewrites is `forget.py`.
"""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.lake import make_durable, sql

FOLDER = "tombstones"


def tombstone_digests(lake_root: Path) -> list[str]:
    """The digests of everyone who is to be forgotten, in order."""
    found = {digest for file in (lake_root / FOLDER).glob("*.json") for digest in read_tombstone(file)["digests"]}
    return sorted(found)


def read_tombstone(file: Path) -> dict[str, Any]:
    """What one request wrote; empty where there is none."""
    if not file.exists():
        return {"digests": [], "devices": [], "hours": []}
    return dict(json.loads(file.read_text(encoding="utf-8")))


def write_tombstone(file: Path, content: Mapping[str, Any]) -> None:
    """Replaces what one request wrote, as a whole and durably.

    Raises:
        LakeError: it cannot be written; nothing is forgotten yet.
    """
    draft = file.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(content), encoding="utf-8")
        make_durable(draft)
        draft.replace(file)
    except OSError as error:
        raise LakeError(f"{file.parent} cannot be written to: {error.strerror}. Mend that and run it again.") from error


def without_the_forgotten(lake_root: Path, connection: duckdb.DuckDBPyConnection, received: str) -> str:
    """The query of received events, with those of forgotten people emptied."""
    digests = tombstone_digests(lake_root)
    if not digests:
        return received
    connection.execute("set variable tombstones = $digests", {"digests": digests})
    connection.execute(f"create or replace temp view received_events as {received}")
    return sql("forgotten_events")
