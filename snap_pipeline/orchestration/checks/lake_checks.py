"""Checks over many hours. They run with the insights, after the hour's run."""

from datetime import timedelta

import dagster as dg

from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour, hours_between
from snap_pipeline.lake.storage import Table, mart, partition
from snap_pipeline.orchestration.checks.hour_checks import describe_findings
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import agreeing, quantity

CURRENT_HOURS = dg.AssetCheckKey(dg.AssetKey("accounting_entries"), "hours_are_current")
CLICK_ID_COVERAGE = dg.AssetCheckKey(dg.AssetKey("emq_scores"), "click_id_coverage")
HOUR_RUN_ALLOWANCE = timedelta(minutes=15)
"""Time after an hour's end in which its run may finish; then the hour counts as missing."""
WEEK_HOURS = 168
"""The hours that scores cover, and the age up to which Snap takes web events."""
MAX_CLICK_ID_DROP = 0.10
"""The largest drop, against the week before, of the share of events with a click id; smaller ones may be chance."""
MIN_EVENTS = 100
"""The fewest events in each week; with fewer, a share varies that much by chance."""


def current_hours(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Check that the last closed hour is materialized, and that today's recipe made all hours of the week."""

    @dg.asset_check(
        asset=CURRENT_HOURS.asset_key,
        name=CURRENT_HOURS.name,
        description=(
            "The last closed hour is materialized, and the week's hours are of today's code, mappings and settings."
        ),
    )
    def check() -> dg.AssetCheckResult:
        settings = pipeline.settings
        closed = max(floor_hour(settings.now() - HOUR_RUN_ALLOWANCE) - ONE_HOUR, settings.first_hour)
        week = hours_between(max(closed - (WEEK_HOURS - 1) * ONE_HOUR, settings.first_hour), closed)
        outdated = pipeline.outdated_hours.find(week)
        findings, remedy = [], []
        if not pipeline.lake.storage.exists(partition(Table.CONVERSION_PAYLOADS, closed)):
            findings.append(f"{format_hour(closed)}, the last closed hour, is not materialized.")
            remedy.append("Check that `hourly_schedule` is on and that its run succeeds.")
        if outdated:
            first, last = format_hour(min(outdated)), format_hour(max(outdated))
            workspaces = ", ".join(sorted({name for names in outdated.values() for name in names}))
            findings.append(
                f"{quantity(len(outdated), 'hour')} from {first} on {agreeing(len(outdated), 'was', 'were')} made with "
                f"other code, mappings or settings than today's (workspaces: {workspaces})."
            )
            remedy.append(
                f"`snap-pipeline materialize --from {first} --to {last}` makes them again and sends nothing twice."
            )
        return dg.AssetCheckResult(
            passed=not findings,
            severity=dg.AssetCheckSeverity.WARN,
            description=describe_findings(findings, " ".join(remedy)),
            metadata={"outdated_hours": len(outdated)},
        )

    return check


def click_id_coverage(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Check that no event name carries Snap's click id much less often than in the week before."""

    @dg.asset_check(
        asset=CLICK_ID_COVERAGE.asset_key,
        name=CLICK_ID_COVERAGE.name,
        description=f"No event's share with a click id fell by over {MAX_CLICK_ID_DROP * 100:.0f} points in a week.",
    )
    def check() -> dg.AssetCheckResult:
        scores = pipeline.lake.storage.scan([mart("emq_scores")])
        with pipeline.lake.connect() as connection:
            rows = connection.execute(
                f"""
                select workspace, event_name, previous_click_id, click_id, previous_click_id - click_id as drop
                from {scores}
                where conversion_type = 'WEB' and least(events, previous_events) >= $enough
                order by drop desc
                """,
                {"enough": MIN_EVENTS},
            ).fetchall()
        findings = [
            f"{workspace} {event}: {before:.0%} carried a click id in the week before, {now:.0%} do now."
            for workspace, event, before, now, drop in rows
            if drop > MAX_CLICK_ID_DROP
        ]
        remedy = "Check that landing pages still keep ScCid, and that trackers still collect click_ids."
        return dg.AssetCheckResult(
            passed=not findings,
            severity=dg.AssetCheckSeverity.WARN,
            description=describe_findings(findings, remedy),
            metadata={"largest_drop": rows[0][-1]} if rows else {},
        )

    return check
