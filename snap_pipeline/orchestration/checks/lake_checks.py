"""Checks that look at many hours at once. They run with the insights, after the hour's run."""

from datetime import timedelta

import dagster as dg

from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour, hours_between
from snap_pipeline.lake.storage import Table, mart, partition
from snap_pipeline.orchestration.checks.hour_checks import described
from snap_pipeline.pipeline import Pipeline

CURRENT_HOURS = dg.AssetCheckKey(dg.AssetKey("conversion_payloads"), "hours_are_current")
CLICK_ID_COVERAGE = dg.AssetCheckKey(dg.AssetKey("emq_scores"), "click_id_coverage")
TIME_FOR_THE_HOUR = timedelta(minutes=15)
"""How long after an hour's end its run may take before it counts as missing."""
WEEK_HOURS = 168
"""The hours that scores are made of, and that Snap still takes web events of."""
LARGEST_DROP = 0.10
"""Of the share of events with a click id, against the week before; less may be chance."""
ENOUGH_EVENTS = 100
"""In either week: of fewer, a share moves that far by itself."""


def current_hours(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """The last closed hour is there, and none of the week was made by another recipe than today's."""

    @dg.asset_check(
        asset=CURRENT_HOURS.asset_key,
        name=CURRENT_HOURS.name,
        description=(
            "The last closed hour is materialized, and the week's hours are of today's code, mappings and settings."
        ),
    )
    def check() -> dg.AssetCheckResult:
        settings = pipeline.settings
        closed = max(floor_hour(settings.now() - TIME_FOR_THE_HOUR) - ONE_HOUR, settings.first_hour)
        week = hours_between(max(closed - (WEEK_HOURS - 1) * ONE_HOUR, settings.first_hour), closed)
        outdated = pipeline.outdated_hours.find(week)
        findings, to_do = [], []
        if not pipeline.lake.storage.exists(partition(Table.CONVERSION_PAYLOADS, closed)):
            findings.append(f"{format_hour(closed)}, the last closed hour, is not materialized.")
            to_do.append("See that `hourly_schedule` is on and its run succeeds.")
        if outdated:
            first, last = format_hour(min(outdated)), format_hour(max(outdated))
            workspaces = ", ".join(sorted({name for names in outdated.values() for name in names}))
            findings.append(
                f"{len(outdated)} hours from {first} on were made with other code, mappings or settings than today's "
                f"(workspaces: {workspaces})."
            )
            to_do.append(
                f"`snap-pipeline materialize --from {first} --to {last}` makes them again and sends nothing twice."
            )
        return dg.AssetCheckResult(
            passed=not findings,
            severity=dg.AssetCheckSeverity.WARN,
            description=described(findings, " ".join(to_do)),
            metadata={"outdated_hours": len(outdated)},
        )

    return check


def click_id_coverage(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """No event name carries Snap's click id much less often than in the week before."""

    @dg.asset_check(
        asset=CLICK_ID_COVERAGE.asset_key,
        name=CLICK_ID_COVERAGE.name,
        description=f"No event's share with a click id fell by more than {LARGEST_DROP * 100:.0f} points in a week.",
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
                {"enough": ENOUGH_EVENTS},
            ).fetchall()
        findings = [
            f"{workspace} {event}: {before:.0%} carried a click id in the week before, {now:.0%} do now."
            for workspace, event, before, now, drop in rows
            if drop > LARGEST_DROP
        ]
        to_do = "See that landing pages still keep ScCid and that the click_ids of events are still collected."
        return dg.AssetCheckResult(
            passed=not findings,
            severity=dg.AssetCheckSeverity.WARN,
            description=described(findings, to_do),
            metadata={"largest_drop": rows[0][-1]} if rows else {},
        )

    return check
