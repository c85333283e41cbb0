"""Translation of the dbt project to Dagster: asset specs of its models, and words for its tests."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="0 * * * *", lower_bound_delta=timedelta(minutes=50))
"""The insights schedule runs from a quarter past on, after the hour's run, and at five to at the latest."""

SENTENCES = {
    "not_null": "{column_name} is never empty.",
    "unique": "No two rows have the same {column_name}.",
    "accepted_values": "{column_name} is one of: {values}.",
    "relationships": "Each {column_name} is a {field} of {to}.",
    "between": "{column_name} is from {lowest} to {highest}.",
    "no_duplicates": "No two rows have the same {columns}.",
    "no_folded_duplicates": "No two rows have the same {columns}, but for case, blanks, hyphens and underscores.",
}
"""Sentences that say what each generic test requires, with its arguments."""


class MartTranslator(DagsterDbtTranslator):
    """Translation of dbt models to asset specs: adds kinds and freshness to what the dbt project defines."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_code_references=True))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Build the spec of one model."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        freshness = FRESHNESS if spec.group_name in ("insights", "report") else None
        # dbt's own name is of its database in memory, which is gone after the build. Marts are files of the lake, and
        # `snap-pipeline sql` opens them by this name.
        metadata = {name: value for name, value in spec.metadata.items() if name != "dagster/table_name"}
        if freshness:
            metadata |= {"dagster/table_name": spec.key.path[-1], "dagster/storage_kind": "parquet"}
        return spec.replace_attributes(kinds={"dbt", "duckdb"}, freshness_policy=freshness, metadata=metadata)

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """Build the spec of one test."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=describe_test(manifest["nodes"][unique_id]))


def describe_test(test: Mapping[str, Any]) -> str:
    """Return the words of the dbt project for a test, or a sentence from its arguments.

    Args:
        test: its node in the manifest.
    """
    generic = test["test_metadata"]
    arguments = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in generic["kwargs"].items()
    }
    return str(test["description"] or SENTENCES[generic["name"]].format_map(arguments))
