"""Checks of the hours that a run makes. They are cheap, since they read the files of these hours alone.

A run of a range has one result for all its hours; the description names the hours at fault.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from snap_pipeline.delivery.accounting import Entry, unaccounted
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.plaintext import WHAT_TO_DO, plaintext_in
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.orchestration.assets.hourly_step import HOURS_AT_FAULT
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.reasons import DeliveryState, NonAdditive

NO_PLAINTEXT = dg.AssetCheckKey(dg.AssetKey("conversion_payloads"), "no_plaintext")
CONSERVATION = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "conservation")
REJECTED_SHARE = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "rejected_share")
WITHDRAWN = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "withdrawn_receipts")
MAX_REJECTED_SHARE = 0.05
"""The highest share of an hour's answered events that may be rejected without a warning."""
Finding = tuple[str, str]
"""The key of the hour at fault, and a sentence about the problem."""
MAX_NAMED_FINDINGS = 3
"""The most findings that a description names; it counts the others."""


def no_plaintext(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Check that hashed fields hold digests only, and that no other field holds an e-mail address or phone number.

    The check blocks nothing: rows with plaintext are undeliverable anyway, and all others are sent.
    """

    @dg.asset_check(
        asset=NO_PLAINTEXT.asset_key,
        name=NO_PLAINTEXT.name,
        description=(
            "The payloads hold no plaintext e-mail address and no phone number that begins with + or tel: (except in "
            "client_user_agent), and hashed fields hold digests. Events with plaintext are not sent."
        ),
        partitions_def=partitions,
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        findings: list[Finding] = []
        events = 0
        for key in context.partition_keys:
            payloads = partition(Table.CONVERSION_PAYLOADS, parse_hour(key))
            found = plaintext_in(pipeline.lake, payloads) if pipeline.lake.storage.exists(payloads) else None
            if found:
                events += found.events
                findings.append((key, f"{key}: {found}."))
        return _result(NO_PLAINTEXT, findings, dg.AssetCheckSeverity.ERROR, WHAT_TO_DO, {"plaintext_events": events})

    return check


def delivery(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Build the checks of the accounting, which read it once for all three."""

    evaluations = {CONSERVATION: conservation, REJECTED_SHARE: rejected_share, WITHDRAWN: withdrawn_receipts}

    def spec(key: dg.AssetCheckKey, description: str) -> dg.AssetCheckSpec:
        return dg.AssetCheckSpec(key.name, asset=key.asset_key, description=description, partitions_def=partitions)

    @dg.multi_asset_check(
        name="delivery_checks",
        specs=[
            spec(
                CONSERVATION,
                "Every raw event is excluded or became a payload, and every payload has one state.",
            ),
            spec(REJECTED_SHARE, f"At most {MAX_REJECTED_SHARE:.0%} of the events that Snap answered were rejected."),
            spec(WITHDRAWN, "Every delivered event is still a conversion."),
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        accounting = pipeline.accounting
        hours = [parse_hour(key) for key in context.partition_keys]
        entries = accounting.entries([hour for hour in hours if accounting.hours(hour, hour)], live)
        for key, evaluate in evaluations.items():
            if key in context.selected_asset_check_keys:
                yield evaluate(entries)

    return check


def conservation(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check that the sums of the accounting balance."""
    remedy = "Materialize these hours again, all assets together; if that does not help, please report a bug."
    gaps = [(gap.split(" ", 1)[0], f"{gap}.") for gap in unaccounted(entries)]
    return _result(CONSERVATION, gaps, dg.AssetCheckSeverity.ERROR, remedy, {"gaps": len(gaps)})


def rejected_share(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check the share of events that Snap rejected, by hour and destination."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        if entry.destination is not None:
            counts[entry.hour, entry.destination, entry.entry] += entry.events
    findings: list[Finding] = []
    highest = 0.0
    for hour, destination in sorted({(hour, destination) for hour, destination, _ in counts}):
        rejected, delivered = (
            counts[hour, destination, state] for state in (DeliveryState.REJECTED, DeliveryState.DELIVERED)
        )
        share = rejected / max(rejected + delivered, 1)
        highest = max(highest, share)
        if share > MAX_REJECTED_SHARE:
            problem = f"{destination} {hour}: {rejected:,} of {rejected + delivered:,} events were rejected."
            findings.append((hour, problem))
    remedy = "`snap-pipeline status` shows Snap's reasons; fix them, then `snap-pipeline materialize --retry-rejected`."
    return _result(REJECTED_SHARE, findings, dg.AssetCheckSeverity.WARN, remedy, {"rejected_share": highest})


def withdrawn_receipts(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Check for delivered events that are no longer conversions: changed mapping, late denial, forgotten person."""
    withdrawn = [entry for entry in entries if entry.entry == NonAdditive.WITHDRAWN and entry.events]
    findings = [
        (each.hour, f"{each.destination} {each.hour}: {each.events:,} delivered events are withdrawn.")
        for each in withdrawn
    ]
    remedy = (
        "After they were sent, a mapping or a consent changed or a person was forgotten; Snap keeps them. If the "
        "change was a mistake, undo it and materialize the hour again."
    )
    events = sum(each.events for each in withdrawn)
    return _result(WITHDRAWN, findings, dg.AssetCheckSeverity.WARN, remedy, {"withdrawn": events})


def _result(
    key: dg.AssetCheckKey,
    findings: Sequence[Finding],
    severity: dg.AssetCheckSeverity,
    remedy: str,
    numbers: Mapping[str, float | int],
) -> dg.AssetCheckResult:
    at_fault = {HOURS_AT_FAULT: sorted({hour for hour, _ in findings})} if findings else {}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not findings,
        severity=severity,
        description=describe_findings([problem for _, problem in findings], remedy),
        metadata={**numbers, **at_fault},
    )


def describe_findings(findings: Sequence[str], remedy: str) -> str | None:
    """Return the first findings, the number of others, and the remedy; None without findings."""
    if not findings:
        return None
    others = [f"And {len(findings) - MAX_NAMED_FINDINGS} more."] if len(findings) > MAX_NAMED_FINDINGS else []
    return " ".join([*findings[:MAX_NAMED_FINDINGS], *others, remedy])
