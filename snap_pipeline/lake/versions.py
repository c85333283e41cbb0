"""Which code made a partition: a digest of the SQL, the seeds and the home's mappings that decide its content.

Dagster shows it as `code_version`, and each partition carries it, so that `status` can count the hours that an
older version made.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import duckdb

from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.lake import MACRO_FILES, Lake, literal, sql

SQL_OF = {
    "raw_events": ("landed_event", "file_lines", "quarantined_lines", "raw_events", "forgotten_events"),
    "identity_links": ("identity_links",),
    "filtered_events": (
        "event_names",
        "known_devices",
        "profiles",
        "linked_events",
        "judged_events",
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


def outdated_hours(
    lake: Lake, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime], versions: Mapping[str, str]
) -> list[datetime]:
    """The hours of which a table was made by another version than the one that is given for it."""
    hours, outdated = list(hours), set()
    for table, version in versions.items():
        paths = [path for path in (lake.path(table, hour) for hour in hours) if path.exists()]
        if paths:
            files = ", ".join(literal(path) for path in paths)
            rows = connection.execute(
                f"select file_name from parquet_kv_metadata([{files}]) "
                "where decode(key) = 'code_version' and decode(value) != $version",
                {"version": json.dumps(version)},
            ).fetchall()
            outdated |= {Path(name).parent.name.removeprefix("hour=") for (name,) in rows}
    return [parse_hour(key) for key in sorted(outdated)]
