"""Partitions and backfills in Dagster after failures: green only where everything was delivered."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery import dispatch
from snap_pipeline.delivery.leases import acquire
from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.hour_reader import RawHour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.orchestration.assets import raw_events
from snap_pipeline.orchestration.runs import DELIVERY_ASSETS
from snap_pipeline_tests.orchestration.backfills import INSTANCE, backfill, statuses
from snap_pipeline_tests.project import HOUR, START, Project, key, purchase

OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"
HOURS = [HOUR + number * ONE_HOUR for number in range(4)]
DELIVERY = [asset.to_user_string() for asset in DELIVERY_ASSETS]
MADE = ["raw_events", "quarantined_lines", "identity_links", "filtered_events", "conversion_payloads"]


@pytest.fixture
def project(project: Project) -> Project:
    """Three hours of one purchase each, one without events, and a destination."""
    project.add_destination()
    for number, hour in enumerate(HOURS[:3]):
        project.land(purchase(f"e{number}", at=hour), hour=hour)
    return project


def shown(project: Project, *tables: str) -> dict[str, str]:
    """Return the statuses of the hours by table."""
    graph = build_definitions(project.settings).resolve_asset_graph()
    return {
        table: statuses(project, table, HOURS, graph.get(dg.AssetKey(table)).partitions_def or pytest.fail())
        for table in tables
    }


def observed(project: Project, hour: datetime, table: str = "dispatched_batches") -> dict[str, Any]:
    """Return the metadata of the last observation of an hour's partition."""
    filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(table), asset_partitions=[key(hour)])
    (record,) = project.instance.fetch_observations(filters, limit=1).records
    observation = record.asset_observation
    return {name: value.value for name, value in observation.metadata.items()} if observation else {}


def test_a_backfill_is_green_only_where_every_destination_has_everything(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster").mkdir()
    project.instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"), overrides=INSTANCE)
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(project.settings.home))
    monkeypatch.setenv("SNAP_PIPELINE_START", START)
    monkeypatch.setenv("SNAP_PIPELINE_NOW", project.settings.now().isoformat())
    assert project.materialize(HOURS[0]).success

    project.set_fault(status=401)
    assert backfill(project, "refused", HOURS) is BulkActionStatus.COMPLETED_FAILED
    assert shown(project, *MADE, *DELIVERY) == dict.fromkeys(MADE, "mmmm") | dict.fromkeys(DELIVERY, "mffm")

    project.clear_faults()
    project.set_fault(status=500)
    assert backfill(project, "down", HOURS, DELIVERY) is BulkActionStatus.COMPLETED_FAILED
    assert shown(project, *DELIVERY) == dict.fromkeys(DELIVERY, "mffm")

    project.clear_faults()
    project.add_destination("other", pixel_id=OTHER_PIXEL)
    project.set_fault(status=401, asset_id=OTHER_PIXEL)
    assert backfill(project, "one of two", HOURS, DELIVERY) is BulkActionStatus.COMPLETED_FAILED
    assert shown(project, *DELIVERY) == dict.fromkeys(DELIVERY, "fffm")

    project.clear_faults()
    assert backfill(project, "well again", HOURS, DELIVERY) is BulkActionStatus.COMPLETED_SUCCESS
    assert shown(project, *DELIVERY) == dict.fromkeys(DELIVERY, "mmmm")


def test_owed_hours_say_what_is_pending_for_whom_and_why(project: Project) -> None:
    project.add_destination("other", pixel_id=OTHER_PIXEL)
    project.set_fault(status=401, asset_id=OTHER_PIXEL)
    result = project.materialize(HOURS[0], HOURS[-1])
    assert not result.success
    logged = {entry.user_message for entry in project.instance.all_logs(result.run_id)}
    assert f"{key(HOURS[0])}: files: 1, events: 1, quarantined lines: 0." in logged
    (line,) = [text for text in logged if text.startswith(f"{key(HOURS[0])}: ") and "left" in text]
    assert "shop: delivered: 1, rejected: 0, left: 0, requests: 1" in line
    assert "other: delivered: 0, rejected: 0, left: 1, requests: 1" in line
    tried, not_tried = observed(project, HOURS[0]), observed(project, HOURS[1])
    assert (tried["shop/delivered"], tried["shop/pending"], tried["other/pending"]) == (1, 0, 1)
    assert tried["other/undelivered"].startswith("1 event is left. The destination was stopped: HTTP 401")
    assert (not_tried["shop/pending"], not_tried["other/pending"]) == (0, 1)
    assert not_tried["other/undelivered"] == (
        f"1 event is left. The destination was stopped at {key(HOURS[0])}, so this hour was not attempted."
    )
    assert "shop/undelivered" not in tried | not_tried
    assert "other/undelivered" in observed(project, HOURS[1], "delivery_receipts")


def test_an_hour_that_an_earlier_step_could_not_make_is_red_in_each_table(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = HOURS[1]

    def read(lake: Lake, landing: LandingZone, hour: datetime) -> RawHour:
        if hour == bad:
            raise LakeError("A file cannot be read.")
        return make_raw_events(lake, landing, hour)

    monkeypatch.setattr(raw_events, "make_raw_events", read)
    result = project.materialize(HOURS[0], HOURS[-1])
    assert not result.success
    tables = [*MADE, "parameter_completeness", *DELIVERY]
    assert shown(project, *tables) == dict.fromkeys(tables, "mfmm")
    assert {table: observed(project, bad, table)["failed"] for table in tables} == dict.fromkeys(
        tables, "A file cannot be read."
    )
    checked = {each.partition for each in result.get_asset_check_evaluations()}
    assert checked == {key(hour) for hour in HOURS if hour != bad}
    made = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.partition == key(HOURS[0]) and event.asset_key == dg.AssetKey("raw_events")
    ]
    assert [each.metadata["dagster/partition_row_count"].value for each in made] == [1]
    assert "dagster/column_schema" in made[0].metadata


def test_hours_that_another_run_sends_are_not_green_before_it_is_done(project: Project) -> None:
    (destination,) = project.pipeline.destinations.list()
    project.land(purchase("late", at=HOURS[0]), name="late")
    with (
        pytest.MonkeyPatch.context() as patch,
        acquire(project.pipeline.database, destination.workspace, destination.id, key(HOURS[0])),
    ):
        patch.setattr(dispatch, "acquire", partial(acquire, wait_seconds=0))
        result = project.materialize(HOURS[0], HOURS[1])
    assert not result.success
    assert shown(project, *DELIVERY) == dict.fromkeys(DELIVERY, "fm--")
    assert observed(project, HOURS[0])["shop/undelivered"].startswith("2 events are left. Another run is sending")
    assert project.materialize(HOURS[0]).success
    assert shown(project, *DELIVERY) == dict.fromkeys(DELIVERY, "mm--")
