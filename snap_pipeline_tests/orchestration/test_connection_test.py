"""The connection test in Dagster's UI: the job, and the asset check on `dispatched_batches`."""

import dagster as dg
from cryptography.fernet import Fernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.orchestration.checks.connection_check import DESTINATIONS_TAKE_EVENTS
from snap_pipeline.orchestration.connection_test import CONNECTION_JOB, CONNECTION_OP
from snap_pipeline_tests.project import Project, purchase

OTHER_PIXEL_ID = "99999999-2222-4333-8444-555555555555"
SECRET = "a-token-that-nobody-may-see"


def press(project: Project, destination: str = "") -> tuple[bool, str]:
    """Run the job as the UI would; return its success and its log messages."""
    job = build_definitions(project.settings).resolve_job_def(CONNECTION_JOB)
    config = {"ops": {CONNECTION_OP: {"config": {"destination": destination}}}}
    result = job.execute_in_process(instance=project.instance, run_config=config, raise_on_error=False)
    logged = "\n".join(map(str, project.instance.all_logs(result.run_id)))
    assert SECRET not in logged
    return result.success, logged


def check(project: Project) -> dg.AssetCheckEvaluation:
    """Run the check alone, as the UI's button does."""
    job = build_definitions(project.settings).resolve_implicit_global_asset_job_def()
    result = job.get_subset(asset_selection=set(), asset_check_selection={DESTINATIONS_TAKE_EVENTS}).execute_in_process(
        instance=project.instance
    )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_the_job_tests_every_destination(project: Project) -> None:
    project.add_destination()
    project.add_destination("paused", pixel_id=OTHER_PIXEL_ID, live=False)

    success, logged = press(project)

    assert success
    assert "shop: Connection test successful (" in logged
    assert "paused: Connection test successful (" in logged
    assert project.received() == []


def test_the_job_fails_with_what_to_do_and_can_be_asked_for_one_destination(project: Project) -> None:
    project.add_destination()
    project.add_destination("refused", pixel_id=OTHER_PIXEL_ID, token=AccessToken(SECRET))

    success, logged = press(project)

    assert not success
    assert "shop: Connection test successful (" in logged
    assert "refused: HTTP 401: Invalid access token. The access token is invalid" in logged
    assert press(project, "shop")[0]
    assert not press(project, "refused")[0]


def test_the_check_passes_and_fails_with_the_live_destinations(project: Project) -> None:
    assert check(project).description == "No destination is live."
    project.add_destination()
    project.add_destination("paused", pixel_id=OTHER_PIXEL_ID, live=False, token=AccessToken(SECRET))
    passed = check(project)
    assert passed.passed
    assert str(passed.metadata["shop"].value).startswith("Connection test successful (")
    assert "paused" not in passed.metadata

    project.pipeline.destinations.resume("paused")
    failed = check(project)
    assert not failed.passed
    assert "regenerate the Conversions API token" in str(failed.metadata["paused"].value)


def test_a_token_under_another_key_is_told_by_the_check(project: Project) -> None:
    project.add_destination()
    project.settings.secret_key_file.write_text(Fernet.generate_key().decode())
    assert "encrypted with another key" in str(check(project).metadata["shop"].value)


def test_an_hour_sends_no_test_events(project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    assert project.materialize().success
    assert project.requests_seen("/validate") == []
