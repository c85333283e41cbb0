"""`dispatched_batches`: the hour's conversions, delivered to every live destination that it owes.

With it come `delivery_receipts`, the outcome of each event, and `delivery_requests`, each HTTP attempt. What a
receipt stands for is never sent again, so materializing an hour twice sends nothing twice.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from statistics import quantiles
from typing import Any

import dagster as dg

from snap_pipeline.assets.hourly import (
    BACKFILL_POLICY,
    describe_partition,
    hours_of,
    table_results,
    table_spec,
)
from snap_pipeline.delivery.dispatch import Dispatcher, HourReport
from snap_pipeline.delivery.states import owes
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.resources import SnapConversionsApi

DESTINATIONS_AT_ONCE = 4
TABLES = ("dispatched_batches", "delivery_receipts", "delivery_requests")


def build(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset and its two side tables over `conversion_payloads`."""

    def spec(table: str, description: str) -> dg.AssetSpec:
        return table_spec(
            table,
            description,
            group="delivery",
            partitions=partitions,
            deps=["conversion_payloads"],
            kinds={"snapchat", "duckdb", "parquet"},
        )

    @dg.multi_asset(
        name="dispatched_batches",
        specs=[
            spec("dispatched_batches", "The batches sent to the Snapchat Conversions API, one row a batch."),
            spec(
                "delivery_receipts",
                "What became of each event at each destination: delivered, or rejected and why.",
            ),
            spec("delivery_requests", "Each HTTP attempt: answer, latency, and the time the rate limit took."),
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
        pool="snap_capi",
    )
    def dispatched_batches(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline], snap: SnapConversionsApi
    ) -> Iterator[dg.MaterializeResult[None]]:
        hours = list(hours_of(context))
        live = [destination for destination in pipeline.destinations.list() if destination.state == "live"]
        if not live:
            context.log.warning("No destination is live, so nothing is sent. See `snap-pipeline destination add`.")
        dispatcher = snap.dispatcher(pipeline)
        with ThreadPoolExecutor(DESTINATIONS_AT_ONCE) as pool:
            runs = pool.map(lambda destination: dispatch_all(dispatcher, destination, [h for _, h in hours]), live)
            reports = [report for run in runs for report in run]
        for key, hour in hours:
            describe_hour(context, pipeline, key, [report for report in reports if report.hour == hour])
        remember_outcomes(pipeline, reports)
        yield from table_results(context, pipeline.lake, *TABLES)
        raise_where_incomplete(reports)

    return dispatched_batches


def dispatch_all(dispatcher: Dispatcher, destination: Destination, hours: Sequence[datetime]) -> list[HourReport]:
    """Sends hour after hour to one destination, and nothing more once it has stopped."""
    reports: list[HourReport] = []
    for hour in hours:
        if owes(destination, hour):
            reports.append(dispatcher.dispatch(destination, hour))
            if reports[-1].stopped:
                break
    return reports


def remember_outcomes(pipeline: Pipeline, reports: Sequence[HourReport]) -> None:
    """Notes for each destination that it was stopped, or that Snap took something."""
    for report in reports:
        if report.stopped:
            answer = report.stopped.answer
            pipeline.destinations.record_stop(report.destination, answer.category, str(report.stopped))
        elif report.tally.delivered:
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
    describe_partition(
        context, pipeline.lake, "dispatched_batches", key, sum(r.tally.requests for r in reports), metadata
    )
    finished = sum(report.count("delivered") + report.count("rejected") for report in reports)
    describe_partition(context, pipeline.lake, "delivery_receipts", key, finished)
    describe_partition(context, pipeline.lake, "delivery_requests", key, sum(r.tally.requests for r in reports))


def numbers_of(report: HourReport) -> dict[str, Any]:
    """What the metadata of an hour says of one destination."""
    tally = report.tally
    numbers: dict[str, Any] = {
        state: report.count(state)
        for state in ("delivered", "rejected", "undeliverable", "duplicate", "in_doubt", "pending")
    }
    numbers |= {
        f"{state}/{reason}": n for (state, reason), n in report.counts.items() if reason and state == "undeliverable"
    }
    numbers |= {"requests": tally.requests, "retries": tally.retries}
    if len(tally.latencies_ms) > 1:
        steps = quantiles(tally.latencies_ms, n=100, method="inclusive")
        numbers |= {f"latency_ms_p{percent}": round(steps[percent - 1], 1) for percent in (50, 95, 99)}
    if tally.last_error:
        numbers["last_error"] = tally.last_error
    return numbers


def raise_where_incomplete(reports: Sequence[HourReport]) -> None:
    """Fails the step where a destination did not complete, with what to do about it.

    A retry helps against what passes by itself, and not against a credential or an address that is wrong.
    """
    texts = {}
    for report in reports:
        name = report.destination.name
        if report.stopped:
            texts[name] = str(report.stopped)
        elif not report.is_complete and not report.skipped:
            left = report.count("pending") + report.count("in_doubt")
            texts[name] = (
                f"{left} events of {format_hour(report.hour)} are left for the next run. {report.tally.last_error}"
            )
    if not texts:
        return
    hopeless = [report.stopped for report in reports if report.stopped and report.stopped.is_for_the_user]
    raise dg.Failure(
        "Not everything was delivered. " + " ".join(f"{name}: {text}" for name, text in texts.items()),
        metadata=dict(texts),
        allow_retries=len(hopeless) < len(texts),
    )
