"""The SQL files in `lake/sql/`."""

from functools import cache
from importlib import resources


@cache
def sql(name: str) -> str:
    """Return the text of `lake/sql/<name>.sql`."""
    return resources.files("snap_pipeline.lake").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
