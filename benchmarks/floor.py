"""The lower bound of reading an hour: one scan of the landing file by DuckDB that parses every line."""

from collections.abc import Mapping
from typing import Any

from benchmarks.homes import HOUR, open_home
from snap_pipeline.lake.storage import literal


def parse(home: str) -> Mapping[str, Any]:
    """Read every field of the traffic, and keep none."""
    pipeline = open_home(home)
    folder = pipeline.landing.folder("default", HOUR)
    with pipeline.lake.connect() as connection:
        row = connection.execute(
            f"select count(*), max(length(messageId)) from read_json({literal(folder / '*.ndjson')}, columns = {{"
            "type: 'VARCHAR', messageId: 'VARCHAR', event: 'VARCHAR', timestamp: 'VARCHAR', sc_cookie1: 'VARCHAR', "
            "anonymousId: 'VARCHAR', userId: 'VARCHAR', context: 'JSON', properties: 'JSON'}, "
            "format = 'newline_delimited')"
        ).fetchone()
    return {"events": row[0] if row else 0}
