"""The checks against earlier weeks, each passing and failing."""

from collections.abc import Sequence

import pytest
from dagster import AssetCheckSeverity

from snap_pipeline.hours import ONE_HOUR, parse_hour
from snap_pipeline.orchestration.checks.trend_checks import COMPLETENESS_DROP, VOLUME
from snap_pipeline_tests.dbt.lakes import write_rows
from snap_pipeline_tests.orchestration.checks.test_lake_checks import look
from snap_pipeline_tests.project import Project, key

CLOSED = parse_hour("2026-11-20T19")
WEEK = 168 * ONE_HOUR


def write_hours(project: Project, raw: Sequence[int], purchases: Sequence[int]) -> None:
    """Write the closed hour and the same hours of the weeks before, the newest first, each with its neighbours."""
    lake = project.settings.lake
    write_rows(lake / "raw_events" / f"hour={key(CLOSED)}" / "data.parquet", "event_id", "'e'")
    rows = []
    for week, (events, bought) in enumerate(zip(raw, purchases, strict=True)):
        for around in (-1, 0, 1) if week else (0,):
            hour = key(CLOSED - week * WEEK + around * ONE_HOUR)
            noise = around * (events // 50)
            rows += [f"'{hour}', 'shop', '{destination}', {events + noise}" for destination in ("d1", "d2") if events]
            if bought:
                write_rows(
                    lake / "parameter_completeness" / f"hour={hour}" / "data.parquet",
                    "workspace, event_name, conversion_type, parameter, events, present",
                    f"'shop', 'PURCHASE', 'WEB', 'em', {bought}, 0",
                    f"'shop', 'PURCHASE', 'WEB', 'ph', {bought}, 0",
                )
    write_rows(lake / "accounting" / "data.parquet", "hour, workspace, destination_id, raw", *rows)


@pytest.mark.parametrize(
    ("raw", "purchases", "said"),
    [
        ([1010, 1000, 990, 1020, 1000], [40, 41, 39, 40, 42], None),
        ([300, 1000, 990, 1020, 1000], [40, 41, 39, 40, 42], "300 raw events, where 1,000 are usual"),
        ([0, 1000, 990, 1020, 1000], [40, 41, 39, 40, 42], "0 raw events"),
        ([1010, 1000, 990, 1020, 1000], [0, 41, 39, 40, 42], "0 purchases, where 40 are usual"),
        ([3000, 1000, 990, 1020, 1000], [40, 41, 39, 40, 42], "3,000 raw events"),
        ([0, 12, 9, 15, 11], [0, 2, 1, 3, 2], None),
        ([300, 1000], [40, 41], None),
    ],
    ids=["as usual", "fewer", "none", "no purchases", "more", "small counts", "one week only"],
)
def test_the_last_hour_is_compared_with_the_same_hours_before(
    project: Project, raw: list[int], purchases: list[int], said: str | None
) -> None:
    write_hours(project, raw, purchases)
    found = look(project, VOLUME)
    assert found.passed is (said is None), found.description
    if said:
        assert found.severity is AssetCheckSeverity.WARN
        assert f"shop {key(CLOSED)}: {said}" in (found.description or "")


def test_an_hour_that_was_not_read_yet_has_no_volume(project: Project) -> None:
    write_hours(project, [0, 1000, 990, 1020, 1000], [0, 41, 39, 40, 42])
    (project.settings.lake / "raw_events" / f"hour={key(CLOSED)}" / "data.parquet").unlink()
    assert look(project, VOLUME).passed


@pytest.mark.parametrize(
    ("events", "before", "now", "passed"),
    [
        (1000, 600, 550, True),
        (1000, 600, 450, False),
        (1000, 80, 10, False),
        (1000, 20, 0, True),
        (50, 30, 0, True),
        (1000, 450, 900, True),
    ],
    ids=["a little less", "much less", "half of little", "next to nothing", "few events", "more"],
)
def test_a_parameter_that_events_stop_carrying(
    project: Project, events: int, before: int, now: int, passed: bool
) -> None:
    lake = project.settings.lake
    write_rows(
        lake / "emq_parameters" / "data.parquet",
        "workspace, event_name, conversion_type, parameter, score_group, weight",
        "'shop', 'PURCHASE', 'WEB', 'em', 'match', 20.0",
        "'shop', 'PURCHASE', 'WEB', 'value', 'commerce', 40.0",
    )
    for hour, present in ((CLOSED - 30 * ONE_HOUR, before), (CLOSED, now)):
        write_rows(
            lake / "parameter_completeness" / f"hour={key(hour)}" / "data.parquet",
            "workspace, event_name, conversion_type, parameter, events, present",
            f"'shop', 'PURCHASE', 'WEB', 'em', {events}, {present}",
            f"'shop', 'PURCHASE', 'WEB', 'value', {events}, {present}",
        )
    found = look(project, COMPLETENESS_DROP)
    assert found.passed is passed, found.description
    if not passed:
        assert found.severity is AssetCheckSeverity.WARN
        assert f"carried E-mail in the week before, {now / events:.0%} do" in (found.description or "")
