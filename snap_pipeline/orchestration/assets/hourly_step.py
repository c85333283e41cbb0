"""Shared parts of the hourly assets: backfill policy, the handling of failed hours, specs and metadata."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.column_descriptions import column_descriptions
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.orchestration.dagster_internals import OUTPUT_WITHOUT_EVENTS
from snap_pipeline.pipeline import Pipeline

HourResult = dg.MaterializeResult[None] | dg.AssetMaterialization | dg.AssetObservation
"""Results that an hourly step yields."""

OWNERS = ["team:data-platform"]
HOURS_A_RUN = 24
"""The most hours of one run: bounds its memory, its burst of Dagster events and the damage of a crash."""

BACKFILL_POLICY = dg.BackfillPolicy.multi_run(max_partitions_per_run=HOURS_A_RUN)

FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="30 * * * *", lower_bound_delta=timedelta(minutes=30))
"""The hourly schedule runs at five past. The policy is met by any materialization, an old hour's too; so the check
`hours_are_current` looks at the last hour itself."""

HOURS_AT_FAULT = "hours_at_fault"
"""Metadata key of failures and checks: the keys of the hours that have to be fixed, for alerts."""

STEPS = (
    *("raw_events", "identity_links", "filtered_events", "conversion_payloads"),
    *("parameter_completeness", "dispatched_batches"),
)
"""The steps of an hour, in order."""

SIDE_STEP = "parameter_completeness"
"""A step without a later step, which may end after delivery; so it reports its failed hours itself."""

_failed_hours: dict[str, dict[str, str]] = {}
"""The hours that a step could not make, with the reason, by run id. A run's steps share a process."""


def failed_hours(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Mapping[str, str]:
    """Return the hours of this run that this step or an earlier one could not make, each with the reason."""
    return _failed_hours.get(context.run.run_id, {})


def make_hours(
    context: dg.AssetExecutionContext, lake: Lake, make: Callable[[str, datetime], None], *tables: Table
) -> Iterator[HourResult]:
    """Make the run's hours, one or a range, and yield their results, so that a failed hour does not hold up the others.

    Dagster skips the steps after a failed step. So a step over a range fails only if it could make none of its hours;
    later steps skip the failed hours, and the last step of the run fails because of them.

    Args:
        context: of the step.
        lake: that holds the tables.
        make: makes the hour of a key.
        tables: that the step makes.

    Raises:
        Failure: hours could not be made, and no later step says so.
    """
    errors = _make_hours(context, make)
    missing = {key: {"failed": reason} for key, reason in failed_hours(context).items()}
    yield from table_results(context, lake, tables, missing)
    if context.assets_def.op.name == SIDE_STEP:
        raise_failed_hours(errors)
    elif not _has_later_step(context):
        raise_failed_hours(failed_hours(context))


def _make_hours(context: dg.AssetExecutionContext, make: Callable[[str, datetime], None]) -> Mapping[str, str]:
    """Make the hours that earlier steps could make, and return those that this step could not, with the reason."""
    before = failed_hours(context)
    keys = [key for key in context.partition_keys if key not in before]
    errors: dict[str, Exception] = {}
    for key in keys:
        try:
            make(key, parse_hour(key))
        except Exception as error:
            if len(keys) == 1 and not before:
                raise
            errors[key] = error
            context.log.exception(f"{key} could not be made; the run goes on with its other hours.")
    if errors and len(errors) == len(keys):
        raise next(iter(errors.values()))
    reasons = {key: safe_message(error) for key, error in errors.items()}
    if reasons:
        _failed_hours[context.run.run_id] = {**before, **reasons}
    return reasons


def raise_failed_hours(reasons: Mapping[str, str]) -> None:
    """Fail the step if hours of a range could not be made.

    Raises:
        Failure: names the hours and the reasons.
    """
    if reasons:
        raise dg.Failure(failed_hours_message(reasons), metadata={HOURS_AT_FAULT: sorted(reasons)}, allow_retries=False)


def failed_hours_message(reasons: Mapping[str, str]) -> str:
    """Name the failed hours of a range, each with its reason, and say that the others were made."""
    each = " ".join(f"{key}: {reason}" for key, reason in sorted(reasons.items()))
    return f"{len(reasons)} of the hours could not be made or delivered; the run went on with the others. {each}"


def safe_message(error: Exception) -> str:
    """Return the message of an error for logs and metadata: only our own messages are known to quote no data."""
    if isinstance(error, PipelineError | dg.Failure):
        return str(error)
    return f"{type(error).__name__}. Its message may quote data, so it stays in the run's log in Dagster alone."


def _has_later_step(context: dg.AssetExecutionContext) -> bool:
    """Tell whether the run has a later step of the chain, which reports the failed hours."""
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
    """Add metadata to one hour's partition; the result of a range run would give every hour the same.

    Args:
        context: of the step.
        lake: that holds the table.
        table: of the partition.
        key: of the hour.
        rows: number of rows that the partition stores, whichever run wrote them.
        extra: further metadata.
    """
    if dg.AssetKey(table.value) not in context.selected_asset_keys:
        return
    stored = lake.storage.stored_path(table, parse_hour(key))
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": rows,
        **({"dagster/uri": str(stored)} if stored else {}),
        **(extra or {}),
    }
    context.add_asset_metadata(metadata, asset_key=table.value, partition_key=key)


def table_results(
    context: dg.AssetExecutionContext, lake: Lake, tables: Sequence[Table], missing: Mapping[str, Mapping[str, Any]]
) -> Iterator[HourResult]:
    """Yield the results of a step's tables, with the columns of the last hour.

    A step makes all its tables together, also those that are not selected; it reports the selected ones.

    Args:
        context: of the step.
        lake: that holds the tables.
        tables: that the step makes.
        missing: the hours that are not complete, by key, with metadata that says why. They are observed and not
            materialized, so that Dagster shows them as failed or missing and "failed and missing" selects them.
    """
    for table in tables:
        if dg.AssetKey(table.value) in context.selected_asset_keys:
            metadata: dict[str, Any] = {"dagster/storage_kind": "parquet"}
            last = partition(table, parse_hour(context.partition_keys[-1]))
            if lake.storage.exists(last):
                with lake.connect() as connection:
                    metadata["dagster/column_schema"] = schema_of(
                        lake.storage.columns(connection, last), column_descriptions(table)
                    )
            if missing:
                yield from _results_by_hour(context, table, metadata, missing)
                metadata[OUTPUT_WITHOUT_EVENTS] = True
            yield dg.MaterializeResult(asset_key=table.value, metadata=metadata)


def _results_by_hour(
    context: dg.AssetExecutionContext, table: Table, shared: Mapping[str, Any], missing: Mapping[str, Mapping[str, Any]]
) -> Iterator[HourResult]:
    """Yield a materialization of each complete hour and an observation of each other one.

    The result of a range can only say that all of its hours are there.
    """
    step = context.get_step_execution_context()
    for key in context.partition_keys:
        described = step.get_asset_metadata(dg.AssetKey(table.value), key) or {}
        if key in missing:
            yield dg.AssetObservation(table.value, partition=key, metadata={**described, **missing[key]})
        else:
            yield dg.AssetMaterialization(table.value, partition=key, metadata={**shared, **described})


def schema_of(columns: Iterable[tuple[str, str]], descriptions: Mapping[str, str]) -> dg.TableSchema:
    """Return names, types and descriptions of columns as Dagster's table schema."""
    return dg.TableSchema([dg.TableColumn(name, kind, descriptions.get(name)) for name, kind in columns])


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
    """Build the spec of an hourly table; `columns` only if they are the same in every hour."""
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
        | ({"dagster/column_schema": schema_of(columns.items(), column_descriptions(table))} if columns else {}),
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
    """Build the asset of one hourly table.

    Args:
        table: its name.
        description: meaning of a row.
        make: makes an hour, and returns the number of rows and further numbers for the partition's metadata.
        group: in Dagster's graph.
        partitions: the hours.
        deps: the tables it is made from.
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
    def asset(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[HourResult]:
        def make_hour(key: str, hour: datetime) -> None:
            rows, numbers = make(pipeline, hour)
            describe_partition(context, pipeline.lake, table, key, rows, numbers)

        yield from make_hours(context, pipeline.lake, make_hour, table)

    return asset
