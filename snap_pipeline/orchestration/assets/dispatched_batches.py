"""`dispatched_batches`: the hour's conversions, delivered to every live destination that it owes.

With it come `delivery_receipts`, the outcome of each event, and `delivery_requests`, each HTTP attempt. What a
receipt stands for is never sent again, so materializing an hour twice sends nothing twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from statistics import quantiles
from typing import Any

import dagster as dg
from pydantic import Field

from snap_pipeline.delivery import ledger
from snap_pipeline.delivery.dispatch import Dispatcher, DispatchOptions, HourReport
from snap_pipeline.delivery.event_status import is_in_scope
from snap_pipeline.delivery.held_events import Held
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import (
    BACKFILL_POLICY,
    HOURS_AT_FAULT,
    describe_partition,
    failed_hours,
    failed_in_words,
    in_words,
    raise_failed_hours,
    table_results,
    table_spec,
)
from snap_pipeline.orchestration.resources import SnapConversionsApi
from snap_pipeline.pipeline import Pipeline

DESTINATIONS_AT_ONCE = 4
RETRIES = 2
RETRY_SECONDS = 20.0
"""For what passes by itself, after the delays within a run; what lasts longer is the reconcile sensor's."""
HOUR_LABEL = "/hour"
"""After a destination's name in a failure's metadata: the first hour that it did not complete."""
TABLES = (Table.DISPATCHED_BATCHES, Table.DELIVERY_RECEIPTS, Table.DELIVERY_REQUESTS)


class DispatchConfig(dg.Config):
    """What a run may be asked to do beyond delivering what is pending. The defaults are safe in every run."""

    resend_in_doubt: bool = Field(
        False,
        description="Send again what is in doubt for more than 48 hours. Snap may count twice what it had taken.",
    )
    retry_rejected: bool = Field(
        False, description="Send again what Snap rejected, for instance after a mapping was mended."
    )
    validate_only: bool = Field(
        False, description="Send to Snap's validate endpoint, which counts nothing. No receipts are written."
    )


def build(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset and its two side tables over `conversion_payloads`."""

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
            spec(Table.DISPATCHED_BATCHES, "The batches sent to the Snapchat Conversions API, one row a batch."),
            spec(
                Table.DELIVERY_RECEIPTS,
                "What became of each event at each destination: delivered, or rejected and why.",
            ),
            spec(Table.DELIVERY_REQUESTS, "Each HTTP attempt: answer, latency, and the time the rate limit took."),
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
    ) -> Iterator[dg.MaterializeResult[None]]:
        options = DispatchOptions(**config.model_dump())
        failed = failed_hours(context)
        hours = [(key, parse_hour(key)) for key in context.partition_keys if key not in failed]
        live = [destination for destination in pipeline.destinations.list() if destination.state == "live"]
        if not live:
            context.log.warning("No destination is live, so nothing is sent. See `snap-pipeline destination add`.")
        pipeline.summaries.of([hour for _, hour in hours])  # together; each run would count them again
        dispatcher = snap.dispatcher(pipeline)
        with ThreadPoolExecutor(DESTINATIONS_AT_ONCE) as pool:
            runs = list(
                pool.map(lambda each: dispatch_all(dispatcher, each, [hour for _, hour in hours], options), live)
            )
        reports = [report for each, _ in runs for report in each]
        errors = [error for _, each in runs for error in each]
        for error in errors:
            context.log.error(str(error), exc_info=error.__cause__)
        if config.validate_only:
            report_validation(context, reports)
            raise_failed_hours({**failed, **reasons_of(errors)})
            return
        for key, hour in hours:
            describe_hour(context, pipeline, key, [report for report in reports if report.hour == hour])
        remember_outcomes(pipeline, reports)
        yield from table_results(context, pipeline.lake, *TABLES)
        if errors and len(context.partition_keys) == 1:
            raise errors[0].__cause__ or errors[0]
        unmade = {**failed, **reasons_of(errors)}
        raise_where_incomplete(reports, [hour for _, hour in hours], unmade, retry=bool(errors))

    return dispatched_batches


class HourNotDispatched(PipelineError):
    """An hour whose delivery to a destination broke off on this side; the cause says why."""

    def __init__(self, destination: Destination, hour: datetime, cause: Exception) -> None:
        super().__init__(f"{destination.name}: {in_words(cause)}")
        self.hour = hour
        self.__cause__ = cause


def dispatch_all(
    dispatcher: Dispatcher, destination: Destination, hours: Sequence[datetime], options: DispatchOptions
) -> tuple[list[HourReport], list[HourNotDispatched]]:
    """Sends hour after hour to one destination, and nothing more once it has stopped; an error ends its hour alone."""
    reports: list[HourReport] = []
    errors: list[HourNotDispatched] = []
    for hour in hours:
        if is_in_scope(destination, hour):
            try:
                reports.append(dispatcher.dispatch(destination, hour, options))
            except Exception as error:  # noqa: BLE001 - kept, and raised once the other hours are done
                errors.append(HourNotDispatched(destination, hour, error))
                continue
            if reports[-1].stopped:
                break
    return reports, errors


def reasons_of(errors: Sequence[HourNotDispatched]) -> dict[str, str]:
    """Reasons for which hours were not delivered, by key."""
    reasons: dict[str, str] = {}
    for error in errors:
        key = format_hour(error.hour)
        reasons[key] = f"{reasons[key]} {error}" if key in reasons else str(error)
    return reasons


def report_validation(context: dg.AssetExecutionContext, reports: Sequence[HourReport]) -> None:
    """Says what Snap would take, as observations, since no partition was made.

    Raises:
        Failure: something would be refused, or could not be asked.
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
            refused[f"{name} {key}"] = f"{stats.rejected} of {report.due} events would be refused: {reasons}."
        elif report.held:
            refused[f"{name} {key}"] = report.held.explain(report.due, [report.hour])
        elif stats.delivered < report.due:
            refused[f"{name} {key}"] = str(report.stopped or stats.last_error)
    if refused:
        raise dg.Failure(" ".join(f"{where}: {why}" for where, why in refused.items()), allow_retries=False)


def remember_outcomes(pipeline: Pipeline, reports: Sequence[HourReport]) -> None:
    """Notes for each destination that it was stopped, that nothing of an hour got through, or that Snap took something.

    The last hour of a run has the last word. An hour in which nothing got through counts like a stop: where an hour is
    one batch, no run ever sees enough of them fail in a row to be stopped.
    """
    for report in reports:
        if report.stopped:
            answer = report.stopped.answer
            pipeline.destinations.record_stop(report.destination, answer.category, str(report.stopped))
        elif report.failure:
            failure = report.failure
            pipeline.destinations.record_stop(report.destination, failure.category, failure.explanation)
        elif report.stats.delivered:
            pipeline.destinations.record_success(report.destination)


def describe_hour(
    context: dg.AssetExecutionContext, pipeline: Pipeline, key: str, reports: Sequence[HourReport]
) -> None:
    """Reports an hour's numbers, by destination."""
    metadata: dict[str, Any] = {}
    for report in reports:
        metadata |= {f"{report.destination.name}/{name}": value for name, value in numbers_of(report).items()}
        if report.skipped:
            context.log.warning(f"{key}: {report.destination.name} was skipped: {report.skipped}")
        if report.held:
            context.log.warning(f"{report.destination.name}: {report.held.explain(report.due, [report.hour])}")
    describe_partition(
        context, pipeline.lake, Table.DISPATCHED_BATCHES, key, sum(r.stats.requests for r in reports), metadata
    )
    finished = sum(report.count("delivered") + report.count("rejected") for report in reports)
    describe_partition(context, pipeline.lake, Table.DELIVERY_RECEIPTS, key, finished)
    describe_partition(context, pipeline.lake, Table.DELIVERY_REQUESTS, key, sum(r.stats.requests for r in reports))


def numbers_of(report: HourReport) -> dict[str, Any]:
    """What the metadata of an hour says of one destination."""
    stats = report.stats
    numbers: dict[str, Any] = {
        state: report.count(state)
        for state in ("delivered", "rejected", "undeliverable", "duplicate", "in_doubt", "pending")
    }
    numbers |= {
        f"{state}/{reason}": n for (state, reason), n in report.counts.items() if reason and state == "undeliverable"
    }
    numbers |= {"requests": stats.requests, "retries": stats.retries}
    if len(stats.latencies_ms) > 1:
        steps = quantiles(stats.latencies_ms, n=100, method="inclusive")
        numbers |= {f"latency_ms_p{percent}": round(steps[percent - 1], 1) for percent in (50, 95, 99)}
    if stats.last_error:
        numbers["last_error"] = stats.last_error
    return numbers


def raise_where_incomplete(
    reports: Sequence[HourReport], hours: Sequence[datetime], failed: Mapping[str, str], *, retry: bool
) -> None:
    """Fails the step where a destination did not complete, or an hour could not be made, with what to do about it.

    A retry helps against what passes by itself, and not against a credential or an address that is wrong.

    Args:
        reports: of the run, by destination and hour.
        hours: of the run, those among them that a stopped destination never came to.
        failed: hours that could not be made or delivered, by key, and why.
        retry: whether these may go through in another try.

    Raises:
        Failure: something is left for the next run.
    """
    incomplete: dict[str, list[HourReport]] = {}
    for report in reports:
        if report.stopped or report.held or not (report.is_complete or report.skipped):
            incomplete.setdefault(report.destination.name, []).append(report)
    if not incomplete and not failed:
        return
    texts = {name: _what_is_left(each, hours) for name, each in incomplete.items()}
    first_hours = {f"{name}{HOUR_LABEL}": format_hour(each[0].hour) for name, each in incomplete.items()}
    hopeless = [each for each in incomplete.values() if _is_for_the_user(each)]
    words = [f"Not everything was delivered. {' '.join(f'{name}: {text}' for name, text in texts.items())}"]
    metadata: dict[str, Any] = {**texts, **first_hours}
    if failed:
        words = [failed_in_words(failed), *(words if texts else [])]
        metadata[HOURS_AT_FAULT] = sorted(failed)
    raise dg.Failure(" ".join(words), metadata=metadata, allow_retries=retry or len(hopeless) < len(texts))


def _is_for_the_user(incomplete: Sequence[HourReport]) -> bool:
    """Tell whether another try of the same step could complete none of a destination's hours."""
    stopped = any(report.stopped and report.stopped.is_for_the_user for report in incomplete)
    return stopped or all(report.held for report in incomplete)


def _what_is_left(incomplete: Sequence[HourReport], hours: Sequence[datetime]) -> str:
    """Why one destination's hours are incomplete, and how much of them is left."""
    words = [
        held.explain(sum(each.due for each in reports), [each.hour for each in reports])
        for held in Held
        if (reports := [each for each in incomplete if each.held is held])
    ]
    others = [each for each in incomplete if not each.held]
    return " ".join([*words, *([_what_was_not_taken(others, hours)] if others else [])])


def _what_was_not_taken(incomplete: Sequence[HourReport], hours: Sequence[datetime]) -> str:
    """Why hours of one destination were tried and are incomplete, and how much of them is left."""
    last = incomplete[-1]
    events = sum(report.count("pending") + report.count("in_doubt") for report in incomplete)
    first_key, last_key = (format_hour(report.hour) for report in (incomplete[0], last))
    where = f"of {last_key}" if last is incomplete[0] else f"in {len(incomplete)} hours, {first_key} to {last_key},"
    left = f"{events:,} events {where} are left for the next run."
    if not last.stopped:
        return f"{left} {last.stats.last_error}"
    untried = sum(hour > last.hour and is_in_scope(last.destination, hour) for hour in hours)
    return f"{last.stopped} {left}" + (f" {untried} later hours were not tried." if untried else "")
