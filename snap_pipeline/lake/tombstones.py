"""Tombstones: digests of forgotten people, applied whenever an hour is read.

One object for each erasure request, below `tombstones/`. `forget.py` handles the requests.
"""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Storage

FOLDER = "tombstones"


def tombstone_digests(storage: Storage) -> list[str]:
    """Return the digests of all forgotten people, sorted."""
    keys = (f"{FOLDER}/{name}" for name in storage.names(FOLDER) if name.endswith(".json"))
    return sorted({digest for key in keys for digest in read_tombstone(storage, key)["digests"]})


def read_tombstone(storage: Storage, key: str) -> dict[str, Any]:
    """Return the tombstone of one request, or an empty one."""
    text = storage.read(key)
    return {"digests": [], "devices": [], "numbers": [], "hours": [], **json.loads(text or "{}")}


def write_tombstone(storage: Storage, key: str, content: Mapping[str, Any]) -> None:
    """Replace the tombstone of one request.

    Raises:
        LakeError: it cannot be written; nothing is forgotten yet.
    """
    try:
        storage.put(key, json.dumps(content))
    except OSError as error:
        raise LakeError(
            f"{storage.path(key).parent} cannot be written to: {error.strerror}. Fix that and run the command again."
        ) from error


def without_the_forgotten(storage: Storage, connection: duckdb.DuckDBPyConnection, received: str) -> str:
    """Return the query of received events, with personal data of forgotten people removed."""
    digests = tombstone_digests(storage)
    if not digests:
        return received
    connection.execute("set variable tombstones = $digests", {"digests": digests})
    connection.execute(f"create or replace temp view received_events as {received}")
    return sql("forgotten_events")
