"""What the hourly assets share: partitions, backfill policy, and how they describe what they made."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.pipeline import Pipeline

OWNERS = ["team:data-platform"]
HOURS_A_RUN = 24
"""Bounds memory, bursts of Dagster events and what one failure takes with it."""

BACKFILL_POLICY = dg.BackfillPolicy.multi_run(max_partitions_per_run=HOURS_A_RUN)

FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="30 * * * *", lower_bound_delta=timedelta(minutes=30))
"""The hourly schedule asks at five past. It is the asset that is fresh, not the hour: an old hour that is made again
counts too, so that the check `hours_are_current` looks at the last hour itself."""


def hours_of(context: dg.AssetExecutionContext) -> Iterator[tuple[str, datetime]]:
    """The run's partition keys and hours, one or a range."""
    for key in context.partition_keys:
        yield key, parse_hour(key)


def describe_partition(
    context: dg.AssetExecutionContext,
    lake: Lake,
    table: str,
    key: str,
    rows: int,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Reports an hour's own numbers, which a range run would otherwise give to every hour alike."""
    if dg.AssetKey(table) not in context.selected_asset_keys:
        return
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": rows,
        "dagster/uri": str(lake.path(table, parse_hour(key))),
        **(extra or {}),
    }
    context.add_asset_metadata(metadata, asset_key=table, partition_key=key)


def table_results(context: dg.AssetExecutionContext, lake: Lake, *tables: str) -> Iterator[dg.MaterializeResult[None]]:
    """The results of tables whose hours are described: their columns, as the last hour has them.

    A step makes all its tables together; what was not selected is made as well and not reported.
    """
    for table in tables:
        if dg.AssetKey(table) in context.selected_asset_keys:
            metadata: dict[str, Any] = {"dagster/storage_kind": "parquet"}
            last = lake.path(table, parse_hour(context.partition_keys[-1]))
            if last.exists():
                metadata["dagster/column_schema"] = schema_of(lake.columns(last))
            yield dg.MaterializeResult(asset_key=table, metadata=metadata)


def schema_of(columns: Iterable[tuple[str, str]]) -> dg.TableSchema:
    """Names and types of columns as Dagster shows them."""
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns])


def table_spec(
    table: str,
    description: str,
    *,
    group: str,
    partitions: dg.PartitionsDefinition[str],
    deps: list[str] | None = None,
    code_version: str | None = None,
    kinds: set[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> dg.AssetSpec:
    """An hourly table of the lake as Dagster shows it; `columns` where they are the same in every hour."""
    return dg.AssetSpec(
        table,
        description=description,
        group_name=group,
        kinds=kinds or {"duckdb", "parquet"},
        owners=OWNERS,
        deps=deps or [],
        code_version=code_version,
        partitions_def=partitions,
        freshness_policy=FRESHNESS,
        metadata={"dagster/table_name": table}
        | ({"dagster/column_schema": schema_of(columns.items())} if columns else {}),
    )


def table_asset(
    table: str,
    description: str,
    make: Callable[[Pipeline, datetime], tuple[int, Mapping[str, int]]],
    *,
    group: str,
    partitions: dg.PartitionsDefinition[str],
    deps: list[str],
    code_version: str,
) -> dg.AssetsDefinition:
    """An asset of one hourly table.

    Args:
        table: its name.
        description: what a row is.
        make: makes an hour of it, and returns the number of rows and what else the partition's metadata says.
        group: in Dagster's graph.
        partitions: the hours.
        deps: the tables that an hour is made from.
        code_version: of the SQL behind it.
    """

    @dg.multi_asset(
        name=table,
        specs=[
            table_spec(table, description, group=group, partitions=partitions, deps=deps, code_version=code_version)
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def asset(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        for key, hour in hours_of(context):
            rows, numbers = make(pipeline, hour)
            describe_partition(context, pipeline.lake, table, key, rows, numbers)
        yield from table_results(context, pipeline.lake, table)

    return asset
