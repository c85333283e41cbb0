"""Pending events: one number in every place, and no word of completeness after a file could not be read."""

import json
from typing import Any

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.accounting import Accounting
from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.hour_reader import HourReader, RawHour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import mart
from snap_pipeline.orchestration.assets.dispatched_batches import record_outcomes
from snap_pipeline_tests.project import HOUR, Project, key, purchase

ALL_READ = "Every landed line is accounted for."
NOT_ALL_READ = "Every line of the files that were read is accounted for."


def skip_reason(project: Project) -> str:
    """Run a tick of `reconcile`, which requests nothing, and return its reason."""
    definitions = build_definitions(project.settings)
    context = dg.build_sensor_context(instance=project.instance, definitions=definitions)
    data = definitions.resolve_sensor_def("reconcile").evaluate_tick(context)
    assert not data.run_requests
    return str(data.skip_message)


@pytest.fixture
def waiting(project: Project) -> Project:
    """A stopped destination: of three hours, its run came to one. Two events of another one cannot be sent at all."""
    shop = project.add_destination()
    project.set_fault(status=401)
    running, earlier, pipeline = project.settings.running_hour, HOUR - ONE_HOUR, project.pipeline
    project.land(purchase("a"), purchase("b"))
    project.land(*(purchase(name, at=earlier, email=None) for name in ("x", "y")), hour=earlier)
    project.land(purchase("c", at=earlier), name="more", hour=earlier)
    project.land(purchase("running", at=running), hour=running)
    for hour in (earlier, HOUR, running):
        make_raw_events(pipeline.lake, pipeline.landing, hour)
        pipeline.transformations.make_filtered_events(hour)
        pipeline.transformations.make_conversion_payloads(hour)
    record_outcomes(pipeline, [pipeline.dispatcher().dispatch(shop, HOUR)])
    return project


def test_every_place_shows_one_number_of_pending_events(run: Any, waiting: Project) -> None:
    entries = json.loads(run("status", "--json").stdout)
    assert sum(each["destinations"]["shop"]["pending"] for each in entries) == 4
    assert "pending:            4 events, 0 in doubt" in run("destination", "show", "shop").stdout
    assert run("destination", "pause", "shop").exit_code == 0
    assert "Pending events are kept (4)" in run("destination", "list").stdout

    accounting, settings = waiting.pipeline.accounting, waiting.settings
    hours = accounting.hours(settings.first_hour, settings.running_hour)
    accounting.export(accounting.entries(hours, waiting.pipeline.destinations.list()))
    exported = waiting.pipeline.lake.storage.path(mart("accounting_entries"))
    with waiting.pipeline.lake.connect() as connection:
        pending = connection.execute(f"select sum(events) from '{exported}' where entry = 'pending'").fetchone()
    assert pending == (4,)


def test_the_sensor_says_what_waits_why_and_until_when(
    run: Any, waiting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop,) = waiting.pipeline.destinations.list()
    assert shop.retry_at is not None
    reason = skip_reason(waiting)
    assert reason.startswith("shop is unauthorized; not delivered: 4 events of 3 hours. The access token is invalid")
    assert reason.endswith(f"The next attempt is after {shop.retry_at:%Y-%m-%d %H:%M} UTC.")
    assert run("destination", "pause", "shop").exit_code == 0
    assert skip_reason(waiting) == (
        "shop is paused; not delivered: 4 events of 3 hours. Pending events are kept (4). Nothing is sent until "
        "`snap-pipeline destination resume shop`."
    )
    monkeypatch.setattr(Accounting, "delivery_entries", lambda *_: ())
    assert skip_reason(waiting).startswith("Every hour is read and delivered")


def test_nothing_is_complete_after_a_file_could_not_be_read(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.land(purchase("a"))
    project.land(purchase("b"), hour=HOUR + ONE_HOUR)
    write = HourReader.write

    def failing(reader: HourReader) -> RawHour:
        if reader._hour == HOUR:
            return write(reader)
        raise LakeError("events.ndjson cannot be read: Input/output error.")

    monkeypatch.setattr(HourReader, "write", failing)
    told = run("materialize", "--from", key(HOUR), "--to", key(HOUR + ONE_HOUR))
    assert told.exit_code == 1
    assert ALL_READ not in told.stdout
    assert NOT_ALL_READ in told.stdout
