"""What the hourly assets share: partitions, backfill policy, and how they describe what they made."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.pipeline import Pipeline

OWNERS = ["team:data-platform"]
HOURS_A_RUN = 24
"""Bounds memory, bursts of Dagster events and what one failure takes with it."""

BACKFILL_POLICY = dg.BackfillPolicy.multi_run(max_partitions_per_run=HOURS_A_RUN)

FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="30 * * * *", lower_bound_delta=timedelta(minutes=30))
"""The hourly schedule asks at five past. It is the asset that is fresh, not the hour: an old hour that is made again
counts too, so that the check `hours_are_current` looks at the last hour itself."""


HOURS_AT_FAULT = "hours_at_fault"
"""Metadata of a failure or a check: keys of the hours that have to be mended, for alerts."""

STEPS = (
    *("raw_events", "identity_links", "filtered_events", "conversion_payloads"),
    *("parameter_completeness", "dispatched_batches"),
)
"""The steps of an hour, in their order."""

BESIDE_DELIVERY = "parameter_completeness"
"""No step comes after it, and delivery may be over before it, so it reports its own errors."""

_failed_hours: dict[str, dict[str, str]] = {}
"""By run, the hours that a step could not make, and why. The steps of a run share a process (`definitions.py`)."""


def failed_hours(context: dg.AssetExecutionContext) -> Mapping[str, str]:
    """The hours of this run that an earlier step or this one could not make, each with the reason."""
    return _failed_hours.get(context.run.run_id, {})


def make_hours(context: dg.AssetExecutionContext, make: Callable[[str, datetime], None]) -> None:
    """Make the run's hours, one or a range, so that one which fails holds up no other.

    Dagster skips what comes after a step that failed. So a step over a range fails only where no hour could be made;
    later steps leave the hours out that failed, and the last step of the run fails for them (`step_results`).
    """
    before = dict(failed_hours(context))
    keys = [key for key in context.partition_keys if key not in before]
    errors: dict[str, Exception] = {}
    for key in keys:
        try:
            make(key, parse_hour(key))
        except Exception as error:
            if len(keys) == 1 and not before:
                raise
            errors[key] = error
            context.log.exception(f"{key} could not be made; the other hours of the run go on.")
    if errors:
        _failed_hours[context.run.run_id] = before | {key: in_words(error) for key, error in errors.items()}
    if errors and len(errors) == len(keys):
        raise next(iter(errors.values()))
    if context.assets_def.op.name == BESIDE_DELIVERY:
        raise_failed_hours({key: in_words(error) for key, error in errors.items()})
    for key, reason in failed_hours(context).items():
        for asset in context.selected_asset_keys:
            context.add_asset_metadata({"failed": reason}, asset_key=asset, partition_key=key)


def raise_failed_hours(reasons: Mapping[str, str]) -> None:
    """Fail the step where hours of a range could not be made.

    Raises:
        Failure: with the hours, and why.
    """
    if reasons:
        raise dg.Failure(failed_in_words(reasons), metadata={HOURS_AT_FAULT: sorted(reasons)}, allow_retries=False)


def failed_in_words(reasons: Mapping[str, str]) -> str:
    """Name the hours of a range that failed, each with its reason, and say that the others were made."""
    each = " ".join(f"{key}: {reason}" for key, reason in sorted(reasons.items()))
    return f"{len(reasons)} of the hours could not be made or delivered; the run went on with the others. {each}"


def in_words(error: Exception) -> str:
    """Return the reason for which an hour failed; only our own messages are known to quote no data."""
    if isinstance(error, PipelineError | dg.Failure):
        return str(error)
    return f"{type(error).__name__}. Its message may quote data, so it stays in the run's log in Dagster alone."


def step_results(context: dg.AssetExecutionContext, lake: Lake, *tables: Table) -> Iterator[dg.MaterializeResult[None]]:
    """The results of a step's tables; then, where no later step of the run will, it fails for the hours that failed.

    Raises:
        Failure: hours of the range could not be made.
    """
    yield from table_results(context, lake, *tables)
    if not _is_followed(context):
        raise_failed_hours(failed_hours(context))


def _is_followed(context: dg.AssetExecutionContext) -> bool:
    """Tell whether the run has a later step of the chain, which reports the hours that failed."""
    selection = context.run.asset_selection
    later = STEPS[STEPS.index(context.assets_def.op.name) + 1 :]
    return bool(later) and (not selection or any(dg.AssetKey(step) in selection for step in later))


def describe_partition(
    context: dg.AssetExecutionContext,
    lake: Lake,
    table: Table,
    key: str,
    rows: int,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Reports an hour's own numbers, which a range run would otherwise give to every hour alike."""
    if dg.AssetKey(table.value) not in context.selected_asset_keys:
        return
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": rows,
        "dagster/uri": str(lake.storage.path(partition(table, parse_hour(key)))),
        **(extra or {}),
    }
    context.add_asset_metadata(metadata, asset_key=table.value, partition_key=key)


def table_results(
    context: dg.AssetExecutionContext, lake: Lake, *tables: Table
) -> Iterator[dg.MaterializeResult[None]]:
    """The results of tables whose hours are described: their columns, as the last hour has them.

    A step makes all its tables together; what was not selected is made as well and not reported.
    """
    for table in tables:
        if dg.AssetKey(table.value) in context.selected_asset_keys:
            metadata: dict[str, Any] = {"dagster/storage_kind": "parquet"}
            last = partition(table, parse_hour(context.partition_keys[-1]))
            if lake.storage.exists(last):
                with lake.connect() as connection:
                    metadata["dagster/column_schema"] = schema_of(lake.storage.columns(connection, last))
            yield dg.MaterializeResult(asset_key=table.value, metadata=metadata)


def schema_of(columns: Iterable[tuple[str, str]]) -> dg.TableSchema:
    """Names and types of columns as Dagster shows them."""
    return dg.TableSchema([dg.TableColumn(name, kind) for name, kind in columns])


def table_spec(
    table: Table,
    description: str,
    *,
    group: str,
    partitions: dg.PartitionsDefinition[str],
    deps: Sequence[Table] = (),
    code_version: str | None = None,
    kinds: set[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> dg.AssetSpec:
    """An hourly table of the lake as Dagster shows it; `columns` where they are the same in every hour."""
    return dg.AssetSpec(
        table.value,
        description=description,
        group_name=group,
        kinds=kinds or {"duckdb", "parquet"},
        owners=OWNERS,
        deps=[each.value for each in deps],
        code_version=code_version,
        partitions_def=partitions,
        freshness_policy=FRESHNESS,
        metadata={"dagster/table_name": table.value}
        | ({"dagster/column_schema": schema_of(columns.items())} if columns else {}),
    )


def table_asset(
    table: Table,
    description: str,
    make: Callable[[Pipeline, datetime], tuple[int, Mapping[str, int]]],
    *,
    group: str,
    partitions: dg.PartitionsDefinition[str],
    deps: Sequence[Table],
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
        name=table.value,
        specs=[
            table_spec(table, description, group=group, partitions=partitions, deps=deps, code_version=code_version)
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def asset(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        def make_hour(key: str, hour: datetime) -> None:
            rows, numbers = make(pipeline, hour)
            describe_partition(context, pipeline.lake, table, key, rows, numbers)

        make_hours(context, make_hour)
        yield from step_results(context, pipeline.lake, table)

    return asset
