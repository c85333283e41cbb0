"""Code versions of partitions: digests of the SQL and the mappings that decide their content.

Dagster shows it as `code_version`, and each partition carries it, so that `status` can count the hours that an
older version made.
"""

import hashlib
from collections.abc import Iterable
from functools import cache

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
    "conversion_payloads": ("conversion_payloads", "plaintext_columns"),
    "parameter_completeness": ("parameter_completeness",),
}
"""SQL files of each asset, in addition to the macros, which all share."""


@cache
def code_version(table: str, mappings: str = "") -> str:
    """Return twelve hex digits that change with the SQL of a table or the digest of the mappings."""
    return _digest([f"macros/{name}" for name in MACRO_FILES] + list(SQL_OF[table]), mappings)


@cache
def links_version(consent: str) -> str:
    """Return a digest that changes with the columns of links and the rules of identity and consent.

    Links of another version are made again when an hour needs them, up to a month of hours. So changes of normalization
    alone do not count here; of the mappings, only those of consent do.
    """
    return _digest(["macros/identity", "macros/consent", *SQL_OF["identity_links"]], consent)


def _digest(names: Iterable[str], mappings: str) -> str:
    return hashlib.sha256("\0".join([*map(sql, names), mappings]).encode()).hexdigest()[:12]
