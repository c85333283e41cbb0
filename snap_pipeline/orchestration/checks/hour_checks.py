"""Checks of the hours that a run makes. They are cheap, since they read the files of these hours alone.

Each hour has its own evaluation, also in a run of a range, so that Dagster shows the check's status hour by hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from snap_pipeline.delivery.accounting import Entry, unaccounted
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.plaintext import WHAT_TO_DO, plaintext_in
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.orchestration.assets.hourly_step import failed_hours
from snap_pipeline.orchestration.dagster_internals import AssetCheckEvaluationTargetMaterializationData
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import agreeing, quantity
from snap_pipeline.reasons import DeliveryState, NonAdditive

NO_PLAINTEXT = dg.AssetCheckKey(dg.AssetKey("conversion_payloads"), "no_plaintext")
CONSERVATION = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "conservation")
REJECTED_SHARE = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "rejected_share")
WITHDRAWN = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "withdrawn_receipts")
MAX_REJECTED_SHARE = 0.05
"""The highest share of an hour's answered events that may be rejected without a warning."""
MAX_NAMED_FINDINGS = 3
"""The most findings that a description names; it counts the others."""


def no_plaintext(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Check that hashed fields hold digests only, and that no other field holds an e-mail address or phone number.

    The check blocks nothing: rows with plaintext are undeliverable anyway, and all others are sent.
    """

    description = (
        "The payloads hold no plaintext e-mail address and no phone number that begins with + or tel: (except in "
        "client_user_agent), and hashed fields hold digests. Events with plaintext are not sent."
    )

    @dg.multi_asset_check(name=NO_PLAINTEXT.name, specs=[_spec(NO_PLAINTEXT, description, partitions)], can_subset=True)
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckEvaluation]:
        for hour in hours_made(context):
            payloads = partition(Table.CONVERSION_PAYLOADS, parse_hour(hour))
            found = plaintext_in(pipeline.lake, payloads) if pipeline.lake.storage.exists(payloads) else None
            result = _result(
                [f"{hour}: {found}."] if found else [],
                dg.AssetCheckSeverity.ERROR,
                WHAT_TO_DO,
                {"plaintext_events": found.events if found else 0},
            )
            yield evaluation_of(context, NO_PLAINTEXT, hour, result)

    return check


def delivery(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Build the checks of the accounting, which read it once for all three."""

    evaluations = {CONSERVATION: conservation, REJECTED_SHARE: rejected_share, WITHDRAWN: withdrawn_receipts}

    @dg.multi_asset_check(
        name="delivery_checks",
        specs=[
            _spec(key, description, partitions)
            for key, description in {
                CONSERVATION: "Every raw event is excluded or became a payload, and every payload has one state.",
                REJECTED_SHARE: f"At most {MAX_REJECTED_SHARE:.0%} of the events that Snap answered were rejected.",
                WITHDRAWN: "Every delivered event is still a conversion.",
            }.items()
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckEvaluation]:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        accounting, made = pipeline.accounting, hours_made(context)
        entries: dict[str, list[Entry]] = defaultdict(list)
        hours = [hour for key in made for hour in accounting.hours(parse_hour(key), parse_hour(key))]
        for entry in accounting.entries(hours, live):
            entries[entry.hour].append(entry)
        for key, evaluate in evaluations.items():
            if key in context.selected_asset_check_keys:
                yield from (evaluation_of(context, key, hour, evaluate(entries[hour])) for hour in made)

    return check


def hours_made(context: dg.AssetCheckExecutionContext) -> list[str]:
    """Return the keys of the run's hours, without those that an earlier step could not make."""
    failed = failed_hours(context)
    return [key for key in context.partition_keys if key not in failed]


def evaluation_of(
    context: dg.AssetCheckExecutionContext, check: dg.AssetCheckKey, hour: str, result: dg.AssetCheckResult
) -> dg.AssetCheckEvaluation:
    """Return the evaluation of one hour. Dagster takes the result of a range as one without a partition."""
    # Dagster shows an evaluation only while it is about the partition's latest materialization.
    latest = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=check.asset_key, asset_partitions=[hour]), limit=1
    ).records
    return dg.AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=result.passed,
        metadata=result.metadata,
        target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
            storage_id=latest[0].storage_id, run_id=latest[0].run_id, timestamp=latest[0].timestamp
        )
        if latest
        else None,
        severity=result.severity,
        description=result.description,
        partition=hour,
    )


def conservation(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check that the sums of the accounting balance."""
    remedy = "Materialize these hours again, all assets together; if that does not help, please report a bug."
    gaps = [f"{gap}." for gap in unaccounted(entries)]
    return _result(gaps, dg.AssetCheckSeverity.ERROR, remedy, {"gaps": len(gaps)})


def rejected_share(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check the share of events that Snap rejected, by hour and destination."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        if entry.destination is not None:
            counts[entry.hour, entry.destination, entry.entry] += entry.events
    findings: list[str] = []
    highest = 0.0
    for hour, destination in sorted({(hour, destination) for hour, destination, _ in counts}):
        rejected, delivered = (
            counts[hour, destination, state] for state in (DeliveryState.REJECTED, DeliveryState.DELIVERED)
        )
        share = rejected / max(rejected + delivered, 1)
        highest = max(highest, share)
        if share > MAX_REJECTED_SHARE:
            answered = quantity(rejected + delivered, "event")
            were = agreeing(rejected, "was", "were")
            findings.append(f"{destination} {hour}: {rejected:,} of {answered} {were} rejected.")
    remedy = "`snap-pipeline status` shows Snap's reasons; fix them, then `snap-pipeline materialize --retry-rejected`."
    return _result(findings, dg.AssetCheckSeverity.WARN, remedy, {"rejected_share": highest})


def withdrawn_receipts(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check for delivered events that are no longer conversions: changed mapping, late denial, forgotten person."""
    withdrawn = [entry for entry in entries if entry.entry == NonAdditive.WITHDRAWN and entry.events]
    findings = [
        f"{each.destination} {each.hour}: {quantity(each.events, 'delivered event')} "
        f"{agreeing(each.events, 'is', 'are')} withdrawn."
        for each in withdrawn
    ]
    remedy = (
        "After they were sent, a mapping or a consent changed or a person was forgotten; Snap keeps them. If the "
        "change was a mistake, undo it and materialize the hour again."
    )
    events = sum(each.events for each in withdrawn)
    return _result(findings, dg.AssetCheckSeverity.WARN, remedy, {"withdrawn": events})


def _spec(key: dg.AssetCheckKey, description: str, partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(key.name, asset=key.asset_key, description=description, partitions_def=partitions)


def _result(
    findings: Sequence[str],
    severity: dg.AssetCheckSeverity,
    remedy: str,
    numbers: Mapping[str, float | int],
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not findings,
        severity=severity,
        description=describe_findings(findings, remedy),
        metadata=numbers,
    )


def describe_findings(findings: Sequence[str], remedy: str) -> str | None:
    """Return the first findings, the number of others, and the remedy; None without findings."""
    if not findings:
        return None
    others = [f"And {len(findings) - MAX_NAMED_FINDINGS} more."] if len(findings) > MAX_NAMED_FINDINGS else []
    return " ".join([*findings[:MAX_NAMED_FINDINGS], *others, remedy])
