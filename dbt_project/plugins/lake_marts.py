"""dbt-duckdb plugin that moves a finished mart into the lake atomically.

dbt-duckdb's own `external` materialization writes the final file in place when there is none yet, under one
fixed temporary name when there is, makes no folders, and turns an empty result into a row of nulls. The
materialization `lake_mart` therefore writes a draft with DuckDB and hands it to this plugin, because neither
SQL nor Jinja can make a folder or rename a file.
"""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig


class Plugin(BasePlugin):
    """The plugin that `plugins` in profiles.yml names."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Make the lake's folder, so that the first build of a new lake can write its drafts."""
        Path(plugin_config["lake"]).mkdir(parents=True, exist_ok=True)

    def store(self, target_config: TargetConfig) -> None:
        """Move the draft to `<lake>/<mart>/data.parquet`; a reader sees the old file or the new one."""
        assert target_config.location is not None  # noqa: S101 - the materialization always gives one
        draft = Path(target_config.location.path)
        mart = draft.parent / str(target_config.relation.identifier) / "data.parquet"
        mart.parent.mkdir(exist_ok=True)
        draft.replace(mart)
