"""The wire formats: one SQL projection a version, from payload columns to the JSON that Snap gets.

The projections are `sql/wire_v3.sql` and `sql/wire_v2.sql`, to be read beside the reference.
"""

from functools import cache
from importlib import resources

from snap_pipeline.capi.answers import ApiVersion


@cache
def projection(version: ApiVersion) -> str:
    """The query that yields position, event id and JSON body of the payloads that are `due`."""
    name = f"wire_{version}.sql"
    return resources.files("snap_pipeline.capi").joinpath("sql", name).read_text(encoding="utf-8")
