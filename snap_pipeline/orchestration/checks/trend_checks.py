"""Checks against earlier weeks: how many events land, and what they carry. They run with the insights."""

from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from typing import Any

import dagster as dg

from snap_pipeline.hours import ONE_HOUR, floor_hour, format_hour, hours_between
from snap_pipeline.lake.storage import Table, mart, partition
from snap_pipeline.orchestration.checks.hour_checks import describe_findings
from snap_pipeline.orchestration.checks.lake_checks import HOUR_RUN_ALLOWANCE, MIN_EVENTS, WEEK_HOURS
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.report.labels import PARAMETERS

VOLUME = dg.AssetCheckKey(dg.AssetKey("accounting"), "volume")
COMPLETENESS_DROP = dg.AssetCheckKey(dg.AssetKey("emq_parameters"), "completeness_drop")
WEEKS = 4
"""The weeks with which an hour is compared, with the same hour of the week and the ones before and after it."""
MIN_HOURS = 6
"""The fewest hours to compare with, which two weeks have; a median of fewer is chance."""
MIN_HOUR_EVENTS = 20
"""The fewest events that are usual in an hour; below, even none at all may be chance."""
MAX_DROP = 0.10
"""The largest drop of a parameter's share; smaller ones may be chance."""


def volume(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Check that the last closed hour has as many raw events and purchases as the same hours of the last four weeks."""

    @dg.asset_check(
        asset=VOLUME.asset_key,
        name=VOLUME.name,
        description="The last closed hour has as many raw events and purchases as those hours of the last four weeks.",
    )
    def check() -> dg.AssetCheckResult:
        hour = _closed_hour(pipeline)
        hours = [
            hour,
            *(
                hour - week * WEEK_HOURS * ONE_HOUR + around * ONE_HOUR
                for week in range(1, WEEKS + 1)
                for around in (-1, 0, 1)
            ),
        ]
        # An hour that was not read yet has no events; `hours_are_current` tells of it.
        found = _query(
            pipeline,
            "volume",
            hours if pipeline.lake.storage.exists(partition(Table.RAW_EVENTS, hour)) else [],
            hour=format_hour(hour),
            compared_hours=[format_hour(each) for each in hours],
            enough_hours=MIN_HOURS,
            enough_events=MIN_HOUR_EVENTS,
        )
        findings = [
            f"{workspace} {format_hour(hour)}: {events:,} {counted}, where {usual:,.0f} are usual."
            for workspace, counted, events, usual in found
        ]
        remedy = "Check that the trackers and the upload of landing files work, and that nothing is sent twice."
        return _result(findings, remedy)

    return check


def completeness_drop(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Check that no match parameter is carried much less often in the last day than in the week before."""

    @dg.asset_check(
        asset=COMPLETENESS_DROP.asset_key,
        name=COMPLETENESS_DROP.name,
        description=(
            f"No match parameter's share fell by over {MAX_DROP * 100:.0f} points, or by half, in the last day against "
            "the week before."
        ),
    )
    def check() -> dg.AssetCheckResult:
        last = _closed_hour(pipeline)
        day = last - 23 * ONE_HOUR
        found = _query(
            pipeline,
            "completeness_drop",
            hours_between(day - WEEK_HOURS * ONE_HOUR, last),
            day=format_hour(day),
            enough_events=MIN_EVENTS,
            largest_drop=MAX_DROP,
        )
        findings = [
            f"{workspace} {event}: {before:.0%} carried {PARAMETERS[parameter]} in the week before, {now:.0%} do since "
            f"{format_hour(day)}."
            for workspace, event, parameter, before, now in found
        ]
        remedy = "Check what changed in the trackers, the consent banner or the site that day."
        return _result(findings, remedy)

    return check


def _closed_hour(pipeline: Pipeline) -> datetime:
    return floor_hour(pipeline.settings.now() - HOUR_RUN_ALLOWANCE) - ONE_HOUR


def _query(pipeline: Pipeline, name: str, hours: Iterable[datetime], **parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query of this folder over the given hours; none where there is nothing to read."""
    storage = pipeline.lake.storage
    keys = storage.existing(partition(Table.PARAMETER_COMPLETENESS, hour) for hour in hours)
    if not keys:
        return []
    query = resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    with pipeline.lake.connect() as connection:
        connection.execute(f"create view parameter_completeness as from {storage.scan(keys, hive=True, by_name=True)}")
        for each in ("accounting", "emq_parameters"):
            if storage.exists(mart(each)):
                connection.execute(f"create view {each} as from {storage.scan([mart(each)])}")
        return connection.execute(query, parameters).fetchall()


def _result(findings: list[str], remedy: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not findings,
        severity=dg.AssetCheckSeverity.WARN,
        description=describe_findings(findings, remedy),
        metadata={"findings": len(findings)},
    )
