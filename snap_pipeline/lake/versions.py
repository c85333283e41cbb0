"""Which code made a partition: a digest of the SQL, the seeds and the home's mappings that decide its content.

Dagster shows it as `code_version`, and each partition carries it, so that `status` can count the hours that an
older version made.
"""

import hashlib
from functools import cache
from pathlib import Path

from snap_pipeline.lake.lake import MACRO_FILES, sql

SQL_OF = {
    "raw_events": ("landed_event", "file_lines", "quarantined_lines", "raw_events"),
    "filtered_events": ("event_names", "judged_events", "filtered_events", "excluded_events"),
    "conversion_payloads": ("conversion_payloads",),
    "parameter_completeness": ("parameter_completeness",),
}
"""The SQL files behind each asset, besides the macros that all share."""


@cache
def code_version(table: str, *files: Path) -> str:
    """Twelve hex digits that change when the SQL behind a table, or one of the given files, changes."""
    texts = [sql(f"macros/{name}") for name in MACRO_FILES] + [sql(name) for name in SQL_OF[table]]
    digest = hashlib.sha256("\0".join(texts).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
