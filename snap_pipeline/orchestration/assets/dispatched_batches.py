"""`dispatched_batches`: the hour's conversions, delivered to every live destination that receives the hour.

The same step makes `delivery_receipts`, the outcome of each event, and `delivery_requests`, each HTTP attempt. Delivery
is idempotent: an event with a receipt is never sent again, so materializing an hour twice sends nothing twice.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from statistics import quantiles
from typing import Any

import dagster as dg
from pydantic import Field

from snap_pipeline.delivery import ledger
from snap_pipeline.delivery.dispatch import Dispatcher, DispatchOptions, HourReport
from snap_pipeline.delivery.event_status import is_in_scope
from snap_pipeline.delivery.stored_rows import stored_rows
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import (
    BACKFILL_POLICY,
    HourResult,
    describe_partition,
    failed_hours,
    raise_failed_hours,
    table_results,
    table_spec,
)
from snap_pipeline.orchestration.assets.undelivered import (
    HourNotDispatched,
    count_skipped,
    failure_reasons,
    missing_hours,
    raise_if_incomplete,
)
from snap_pipeline.orchestration.resources import SnapConversionsApi
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import quantity
from snap_pipeline.reasons import DeliveryState

DESTINATIONS_AT_ONCE = 4
RETRIES = 2
RETRY_SECONDS = 20.0
"""Dagster's retries of the step, for short outages; the reconcile sensor retries after longer ones."""
TABLES = (Table.DISPATCHED_BATCHES, Table.DELIVERY_RECEIPTS, Table.DELIVERY_REQUESTS)


class DispatchConfig(dg.Config):
    """Run config of delivery. By default a run delivers pending events, which is always safe."""

    resend_in_doubt: bool = Field(
        False,
        description="Resend events that are in doubt for more than 48 hours. Snap may count events twice.",
    )
    retry_rejected: bool = Field(
        False, description="Resend events that Snap rejected, for instance after a mapping was fixed."
    )
    validate_only: bool = Field(
        False, description="Send events to Snap's validate endpoint, which counts nothing. No receipts are written."
    )


def build(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Build the asset `dispatched_batches` and its tables of receipts and requests."""

    def spec(table: Table, description: str) -> dg.AssetSpec:
        return table_spec(
            table,
            description,
            group="delivery",
            partitions=partitions,
            deps=[Table.CONVERSION_PAYLOADS],
            kinds={"snapchat", "duckdb", "parquet"},
            columns=ledger.TABLES.get(table),
        )

    @dg.multi_asset(
        name="dispatched_batches",
        specs=[
            spec(Table.DISPATCHED_BATCHES, "The batches sent to the Snapchat Conversions API, one row per batch."),
            spec(
                Table.DELIVERY_RECEIPTS,
                "The outcome of each event at each destination: delivered, or rejected with the reason.",
            ),
            spec(Table.DELIVERY_REQUESTS, "Each HTTP attempt: answer, latency, and the wait for the rate limit."),
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
        retry_policy=dg.RetryPolicy(max_retries=RETRIES, delay=RETRY_SECONDS, backoff=dg.Backoff.EXPONENTIAL),
        pool="snap_capi",
    )
    def dispatched_batches(
        context: dg.AssetExecutionContext,
        config: DispatchConfig,
        pipeline: dg.ResourceParam[Pipeline],
        snap: SnapConversionsApi,
    ) -> Iterator[HourResult]:
        options = DispatchOptions(**config.model_dump())
        failed = failed_hours(context)
        hours = [(key, parse_hour(key)) for key in context.partition_keys if key not in failed]
        live = [destination for destination in pipeline.destinations.list() if destination.state == "live"]
        if not live:
            context.log.warning("No destination is live, so nothing is sent. See `snap-pipeline destination add`.")
        pipeline.summaries.of([hour for _, hour in hours])  # all hours at once, which is cheaper than one by one
        dispatcher = snap.dispatcher(pipeline)
        with ThreadPoolExecutor(DESTINATIONS_AT_ONCE) as pool:
            runs = list(
                pool.map(lambda each: dispatch_hours(dispatcher, each, [hour for _, hour in hours], options), live)
            )
        reports = [report for each, _ in runs for report in each]
        errors = [error for _, each in runs for error in each]
        for error in errors:
            context.log.error(str(error), exc_info=error.__cause__)
        if config.validate_only:
            report_validation(context, reports)
            raise_failed_hours({**failed, **failure_reasons(errors)})
            return
        reports, errors = count_skipped(pipeline, live, [hour for _, hour in hours], reports, errors)
        for key, hour in hours:
            describe_hour(context, pipeline, key, [report for report in reports if report.hour == hour])
        record_outcomes(pipeline, reports)
        not_made = {**failed, **failure_reasons(errors)}
        yield from table_results(context, pipeline.lake, TABLES, missing_hours(reports, not_made))
        if errors and len(context.partition_keys) == 1:
            raise errors[0].__cause__ or errors[0]
        raise_if_incomplete(reports, not_made, retry=bool(errors))

    return dispatched_batches


def dispatch_hours(
    dispatcher: Dispatcher, destination: Destination, hours: Sequence[datetime], options: DispatchOptions
) -> tuple[list[HourReport], list[HourNotDispatched]]:
    """Send hour after hour to one destination, until it is stopped; an error ends only its hour.

    Returns:
        the reports of the hours, and the errors of those that failed.
    """
    reports: list[HourReport] = []
    errors: list[HourNotDispatched] = []
    for hour in hours:
        if is_in_scope(destination, hour):
            try:
                reports.append(dispatcher.dispatch(destination, hour, options))
            except Exception as error:  # noqa: BLE001 - collected, and raised after the other hours
                errors.append(HourNotDispatched(destination, hour, error))
                continue
            if reports[-1].stopped:
                break
    return reports, errors


def report_validation(context: dg.AssetExecutionContext, reports: Sequence[HourReport]) -> None:
    """Report what Snap would accept, as asset observations, since no partition was made.

    Raises:
        Failure: Snap would refuse events, or gave no answer for some of them.
    """
    refused = {}
    for report in reports:
        stats, name, key = report.stats, report.destination.name, format_hour(report.hour)
        numbers = {"valid": stats.delivered, "refused": stats.rejected, **stats.reasons}
        context.log_event(
            dg.AssetObservation(
                Table.DISPATCHED_BATCHES,
                partition=key,
                description="Validated; nothing was counted.",
                metadata={f"{name}/{label}": events for label, events in numbers.items()},
            )
        )
        if stats.rejected:
            reasons = "; ".join(f"{reason} ({events})" for reason, events in stats.reasons.most_common(3))
            refused[f"{name} {key}"] = (
                f"{stats.rejected:,} of {quantity(report.due, 'event')} would be refused: {reasons}."
            )
        elif report.held:
            refused[f"{name} {key}"] = report.held.explain(report.due, [report.hour])
        elif stats.delivered < report.due:
            refused[f"{name} {key}"] = str(report.stopped or stats.last_error)
    if refused:
        raise dg.Failure(" ".join(f"{where}: {why}" for where, why in refused.items()), allow_retries=False)


def record_outcomes(pipeline: Pipeline, reports: Sequence[HourReport]) -> None:
    """Record for each destination that it was stopped, that an hour failed as a whole, or that events were accepted.

    The last hour of a run decides. An hour of which nothing was accepted counts as a stop: if an hour is one batch, no
    run sees enough failed batches in a row to stop the destination itself.
    """
    for report in reports:
        if report.stopped:
            answer = report.stopped.answer
            pipeline.run_results.record_stop(report.destination, answer.category, str(report.stopped))
        elif report.failure:
            failure = report.failure
            pipeline.run_results.record_stop(report.destination, failure.category, failure.explanation)
        elif report.stats.delivered:
            pipeline.run_results.record_success(report.destination)


def describe_hour(
    context: dg.AssetExecutionContext, pipeline: Pipeline, key: str, reports: Sequence[HourReport]
) -> None:
    """Add an hour's metadata to the partitions of the three tables, by destination."""
    metadata: dict[str, Any] = {}
    for report in reports:
        metadata |= {f"{report.destination.name}/{name}": value for name, value in destination_metadata(report).items()}
        if report.skipped and report.left:
            context.log.warning(f"{key}: {report.destination.name} was skipped: {report.skipped}")
        if report.held:
            context.log.warning(f"{report.destination.name}: {report.held.explain(report.due, [report.hour])}")
    context.log.info(f"{key}: {'; '.join(map(summary, reports)) or 'no live destination receives this hour'}.")
    for table in TABLES:
        extra = metadata if table == Table.DISPATCHED_BATCHES else None
        rows = stored_rows(pipeline.lake, table, parse_hour(key))
        describe_partition(context, pipeline.lake, table, key, rows, extra)


def summary(report: HourReport) -> str:
    """Return what a run did for an hour and destination, for the log."""
    stats = report.stats
    numbers = {
        "delivered": stats.delivered,
        "rejected": stats.rejected,
        "left": report.left,
        "requests": stats.requests,
    }
    return f"{report.destination.name}: {', '.join(f'{name}: {number}' for name, number in numbers.items())}"


def destination_metadata(report: HourReport) -> dict[str, Any]:
    """Return the metadata of an hour about one destination."""
    stats = report.stats
    numbers: dict[str, Any] = {str(state): report.count(state) for state in DeliveryState}
    numbers |= {
        f"{state}/{reason}": n
        for (state, reason), n in report.counts.items()
        if reason and state == DeliveryState.UNDELIVERABLE
    }
    numbers |= {"requests": stats.requests, "retries": stats.retries}
    if len(stats.latencies_ms) > 1:
        steps = quantiles(stats.latencies_ms, n=100, method="inclusive")
        numbers |= {f"latency_ms_p{percent}": round(steps[percent - 1], 1) for percent in (50, 95, 99)}
    if stats.last_error:
        numbers["last_error"] = stats.last_error
    return numbers
