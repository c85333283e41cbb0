"""Checks of the hour that a run makes. They read that hour's files alone, so they cost it little.

A run of a range gives one result for all of its hours; the description names those at fault.
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

NO_PLAINTEXT = dg.AssetCheckKey(dg.AssetKey("conversion_payloads"), "no_plaintext")
CONSERVATION = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "conservation")
REJECTED_SHARE = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "rejected_share")
WITHDRAWN = dg.AssetCheckKey(dg.AssetKey("delivery_receipts"), "withdrawn_receipts")
MOST_REJECTED = 0.05
"""The share of an hour's answered events that may be rejected before somebody should look."""
Finding = tuple[str, str]
"""The key of the hour at fault, and what is wrong with it in words."""
NAMED = 3
"""So many findings are named in a description; the others are counted."""


def no_plaintext(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Only digests where they belong, and no e-mail address or phone number anywhere else.

    It blocks nothing: a row with plaintext is undeliverable, and all others go out.
    """

    @dg.asset_check(
        asset=NO_PLAINTEXT.asset_key,
        name=NO_PLAINTEXT.name,
        description=(
            "The payloads hold no plaintext e-mail address, and no phone number that is written with + or tel:, but "
            "for a client_user_agent; digests stand where digests belong. An event with plaintext is not sent."
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
    """What the accounting of the hour says, from one look at it."""

    looks = {CONSERVATION: conservation, REJECTED_SHARE: rejected_share, WITHDRAWN: withdrawn_receipts}

    def spec(key: dg.AssetCheckKey, description: str) -> dg.AssetCheckSpec:
        return dg.AssetCheckSpec(key.name, asset=key.asset_key, description=description, partitions_def=partitions)

    @dg.multi_asset_check(
        name="delivery_checks",
        specs=[
            spec(CONSERVATION, "Every raw event is excluded or a payload, and every payload has one state."),
            spec(REJECTED_SHARE, f"At most {MOST_REJECTED:.0%} of the events that Snap answered were rejected."),
            spec(WITHDRAWN, "No receipt is of an event that is a conversion no more."),
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        accounting = pipeline.accounting
        hours = [parse_hour(key) for key in context.partition_keys]
        entries = accounting.entries([hour for hour in hours if accounting.hours(hour, hour)], live)
        for key, look in looks.items():
            if key in context.selected_asset_check_keys:
                yield look(entries)

    return check


def conservation(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Whether the sums of the accounting hold."""
    to_do = "Materialize these hours again, all assets together; where that does not help it is a defect."
    gaps = [(gap.split(" ", 1)[0], f"{gap}.") for gap in unaccounted(entries)]
    return _result(CONSERVATION, gaps, dg.AssetCheckSeverity.ERROR, to_do, {"gaps": len(gaps)})


def rejected_share(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Whether Snap rejected more than the odd event, by hour and destination."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        if entry.destination is not None:
            counts[entry.hour, entry.destination, entry.entry] += entry.events
    findings: list[Finding] = []
    highest = 0.0
    for hour, destination in sorted({(hour, destination) for hour, destination, _ in counts}):
        rejected, delivered = (counts[hour, destination, state] for state in ("rejected", "delivered"))
        share = rejected / max(rejected + delivered, 1)
        highest = max(highest, share)
        if share > MOST_REJECTED:
            words = f"{destination} {hour}: {rejected:,} of {rejected + delivered:,} events were rejected."
            findings.append((hour, words))
    to_do = "`snap-pipeline status` has Snap's reasons; mend them, then `snap-pipeline materialize --retry-rejected`."
    return _result(REJECTED_SHARE, findings, dg.AssetCheckSeverity.WARN, to_do, {"rejected_share": highest})


def withdrawn_receipts(entries: Sequence[Entry]) -> dg.AssetCheckResult:
    """Whether Snap has events that are conversions no more: a mapping changed, a denial came late, a person left."""
    withdrawn = [entry for entry in entries if entry.entry == "withdrawn" and entry.events]
    findings = [
        (each.hour, f"{each.destination} {each.hour}: {each.events:,} delivered events are withdrawn.")
        for each in withdrawn
    ]
    to_do = (
        "Since they were sent, a mapping or a consent has changed or a person was forgotten, and Snap keeps them; a "
        "change that was not meant can be taken back: materialize the hour again after it."
    )
    events = sum(each.events for each in withdrawn)
    return _result(WITHDRAWN, findings, dg.AssetCheckSeverity.WARN, to_do, {"withdrawn": events})


def _result(
    key: dg.AssetCheckKey,
    findings: Sequence[Finding],
    severity: dg.AssetCheckSeverity,
    to_do: str,
    numbers: Mapping[str, float | int],
) -> dg.AssetCheckResult:
    at_fault = {HOURS_AT_FAULT: sorted({hour for hour, _ in findings})} if findings else {}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not findings,
        severity=severity,
        description=described([words for _, words in findings], to_do),
        metadata={**numbers, **at_fault},
    )


def described(findings: Sequence[str], to_do: str) -> str | None:
    """The first findings, how many others there are, and what to do; None where there are none."""
    if not findings:
        return None
    others = [f"And {len(findings) - NAMED} more."] if len(findings) > NAMED else []
    return " ".join([*findings[:NAMED], *others, to_do])
