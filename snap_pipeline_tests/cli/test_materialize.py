"""`materialize` with options: events in doubt, rejected events, validation; and the warnings of `status`."""

from datetime import timedelta
from typing import Any

import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery import dispatch
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline_tests.project import HOUR, NOW, Project, ids, key, purchase

OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"
RANGE = ("--from", key(HOUR), "--to", key(HOUR))


def days_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snap's deduplication window closes for everything that was sent until now."""
    monkeypatch.setattr(dispatch, "DEDUPLICATION_WINDOW", timedelta(0))


def test_what_is_in_doubt_after_48_hours_waits_for_the_flag(
    run: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.set_fault(drop_after_storing=True, count=100)
    assert run("materialize", *RANGE).exit_code == 1
    project.clear_faults()
    days_pass(monkeypatch)
    before = len(project.requests_seen())
    assert run("materialize", *RANGE).exit_code == 1
    assert len(project.requests_seen()) == before
    assert "--resend-in-doubt" in run("status").stderr
    assert run("materialize", *RANGE, "--resend-in-doubt").exit_code == 0
    assert project.counts()["delivered"] == 1
    assert "--resend-in-doubt" not in run("status").stderr


def test_what_was_rejected_is_sent_again_when_asked_for(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("good"), purchase("bad"))
    project.set_fault(refuse_event_ids=["bad"], count=100)
    assert run("materialize", *RANGE).exit_code == 0
    assert project.counts()["rejected"] == 1
    assert "--retry-rejected" in run("status").stderr
    project.clear_faults()
    assert run("materialize", *RANGE).exit_code == 0
    assert project.counts()["rejected"] == 1
    assert run("materialize", *RANGE, "--retry-rejected").exit_code == 0
    assert project.counts()["delivered"] == 2
    assert ids(project.received()) == ["bad", "good"]
    assert {row["event_id"]: row["outcome"] for row in receipts(project)} == {"bad": "delivered", "good": "delivered"}


def test_validating_counts_nothing_and_remembers_nothing(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), purchase("b"))
    result = run("materialize", *RANGE, "--validate")
    assert result.exit_code == 0, result.output
    assert "Nothing was counted" in result.stdout
    assert project.received() == []
    assert len(project.requests_seen("/events/validate")) == 1
    assert project.counts()["pending"] == 2
    assert not list(project.pipeline.lake.storage.path("").glob("delivery_*/**/*.*"))
    assert run("materialize", *RANGE).exit_code == 0
    assert ids(project.received()) == ["a", "b"]


def test_validating_says_what_snap_would_refuse(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("good"), purchase("bad"))
    project.set_fault(refuse_event_ids=["bad"], count=100, path="validate")
    result = run("materialize", *RANGE, "--validate")
    assert result.exit_code == 1
    assert "1 of 2 events would be refused" in result.stderr
    assert project.counts()["pending"] == 2


def test_the_launchpad_offers_the_same_and_sends_normally_by_default(project: Project) -> None:
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    fields = job.get_node_named("dispatched_batches").definition.config_field.config_type.fields
    assert {name: field.default_value for name, field in fields.items()} == {
        "resend_in_doubt": False,
        "retry_rejected": False,
        "validate_only": False,
    }


def test_what_passes_by_itself_is_tried_again_and_a_refused_token_is_not(project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.set_fault(status=503, count=5)
    assert project.materialize().success
    assert project.counts()["delivered"] == 1
    project.land(purchase("b", at=HOUR + ONE_HOUR), hour=HOUR + ONE_HOUR)
    project.set_fault(status=401, count=2)
    result = project.materialize(HOUR + ONE_HOUR)
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    assert project.counts(HOUR + ONE_HOUR)["pending"] == 1


def test_a_run_that_gets_nothing_through_says_how_much_is_left_of_how_many_hours(run: Any, project: Project) -> None:
    project.add_destination(base_url="http://127.0.0.1:1")
    project.add_destination("other", pixel_id=OTHER_PIXEL, since=key(HOUR))
    for hours in range(3):
        hour = HOUR - hours * ONE_HOUR
        project.land(*(purchase(f"{hours}-{n}", at=hour) for n in range(hours + 1)), hour=hour)
    project.set_fault(status=503, count=1_000)
    result = run("materialize", "--from", key(HOUR - 2 * ONE_HOUR), "--to", key(HOUR))
    assert result.exit_code == 1
    assert (
        "shop: 6 events in 3 hours, 2026-11-20T10 to 2026-11-20T12, are left for the next run. no answer: "
    ) in result.stderr
    assert "other: 1 event of 2026-11-20T12 is left for the next run. HTTP 503: " in result.stderr


def test_a_run_that_is_stopped_says_what_is_left_and_how_many_hours_it_never_came_to(
    run: Any, project: Project
) -> None:
    project.add_destination()
    for hours in range(3):
        project.land(purchase(f"{hours}", at=HOUR - hours * ONE_HOUR), hour=HOUR - hours * ONE_HOUR)
    project.set_fault(status=401, count=1)
    result = run("materialize", "--from", key(HOUR - 2 * ONE_HOUR), "--to", key(HOUR))
    assert "shop: The destination was stopped: HTTP 401: " in result.stderr
    assert (
        "3 events in 3 hours, 2026-11-20T10 to 2026-11-20T12, are left for the next run. "
        "2 of these hours were not attempted."
    ) in result.stderr


def test_status_warns_of_what_expires_within_a_day_and_of_hours_that_older_code_made(
    run: Any, project: Project
) -> None:
    project.add_destination()
    project.set_fault(status=401, count=1)
    project.land(purchase("soon", at=NOW - timedelta(days=6, hours=12)), purchase("later", at=NOW))
    project.materialize()
    warnings = run("status").stderr
    assert "1 event pending will be too old for Snap within a day" in warnings
    assert "older version" not in warnings
    mappings = project.settings.home / "mappings"
    mappings.mkdir()
    (mappings / "event_names.csv").write_text("source_name,snap_name,workspace\nmy_event,CUSTOM_EVENT_1,\n")
    assert "1 hour made with other code, mappings or settings" in run("status").stderr


def receipts(project: Project) -> list[dict[str, Any]]:
    folder = project.pipeline.lake.storage.path("") / "delivery_receipts"
    with project.pipeline.lake.connect() as connection:
        rows = connection.execute(f"select event_id, outcome from '{folder}/**/*.parquet'").fetchall()
    return [{"event_id": event_id, "outcome": outcome} for event_id, outcome in rows]


def test_an_instance_that_an_earlier_version_made_is_still_opened(run: Any, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    instance_settings = project.settings.dagster_home / "dagster.yaml"
    instance_settings.parent.mkdir(parents=True, exist_ok=True)
    instance_settings.write_text(
        "run_launcher:\n  module: snap_pipeline.run_monitoring\n  class: MonitoredRunLauncher\n# my own line\n"
    )
    assert run("materialize", *RANGE).exit_code == 0
    assert ids(project.received()) == ["a"]
    assert "snap_pipeline.orchestration.run_monitoring" in instance_settings.read_text()
    assert "# my own line" in instance_settings.read_text()
