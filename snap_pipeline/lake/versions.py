"""Which code made a partition: a digest of the SQL, the seeds and the home's mappings that decide its content.

Dagster shows it as `code_version`, and each partition carries it, so that `status` can count the hours that an
older version made.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from snap_pipeline.lake.lake import MACRO_FILES, sql

SQL_OF = {
    "raw_events": ("landed_event", "file_lines", "quarantined_lines", "raw_events", "forgotten_events"),
    "identity_links": ("identity_links",),
    "filtered_events": (
        "event_names",
        "known_devices",
        "profiles",
        "linked_events",
        "verdicts",
        "filtered_events",
        "excluded_events",
    ),
    "conversion_payloads": ("conversion_payloads",),
    "parameter_completeness": ("parameter_completeness",),
}
"""The SQL files behind each asset, besides the macros that all share."""


@cache
def code_version(table: str, *files: Path) -> str:
    """Twelve hex digits that change when the SQL behind a table, or one of the given files, changes."""
    return _digest([f"macros/{name}" for name in MACRO_FILES] + list(SQL_OF[table]), files)


@cache
def links_version(*files: Path) -> str:
    """Changes when links have other columns, or say other things of who somebody is and what they chose.

    Links of another version are made again when an hour needs them, up to a month of hours. So what only spells a value
    otherwise, as a macro that normalizes names, does not count here.
    """
    return _digest(["macros/identity", "macros/consent", *SQL_OF["identity_links"]], files)


def _digest(names: Iterable[str], files: Iterable[Path]) -> str:
    digest = hashlib.sha256("\0".join(map(sql, names)).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
