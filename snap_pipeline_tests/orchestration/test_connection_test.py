"""The connection test in Dagster's UI: its job is the only way to start it there."""

import dagster as dg
import pytest
from cryptography.fernet import Fernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.orchestration.connection_test import CONNECTION_JOB, CONNECTION_OP
from snap_pipeline.orchestration.runs import DELIVERY_ASSETS, range_tags
from snap_pipeline_tests.project import HOUR, Project, purchase
from snap_pipeline_tests.test_definitions import HOURLY as HOURLY_TABLES

OTHER_PIXEL_ID = "99999999-2222-4333-8444-555555555555"
HOURLY = [dg.AssetKey(table) for table in HOURLY_TABLES]
SECRET = "a-token-that-nobody-may-see"


def press(project: Project, destination: str = "") -> tuple[bool, str]:
    """Run the job as the UI would; return its success and its log messages."""
    job = build_definitions(project.settings).resolve_job_def(CONNECTION_JOB)
    config = {"ops": {CONNECTION_OP: {"config": {"destination": destination}}}}
    result = job.execute_in_process(instance=project.instance, run_config=config, raise_on_error=False)
    logged = "\n".join(map(str, project.instance.all_logs(result.run_id)))
    assert SECRET not in logged
    return result.success, logged


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


def test_a_token_under_another_key_fails_the_job_with_the_reason(project: Project) -> None:
    project.add_destination()
    project.settings.secret_key_file.write_text(Fernet.generate_key().decode())
    success, logged = press(project)
    assert not success
    assert "shop: " in logged
    assert "encrypted with another key" in logged


@pytest.mark.parametrize("assets", [HOURLY, DELIVERY_ASSETS], ids=["graph run or backfill", "delivery-only run"])
def test_no_run_of_hourly_assets_sends_test_events_or_looks_at_other_hours(
    project: Project, assets: list[dg.AssetKey]
) -> None:
    project.add_destination()
    project.land(purchase("a"))
    assert project.materialize().success
    # The job behind the UI's asset graph, with the checks that Dagster adds for the assets.
    job = build_definitions(project.settings).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=project.instance, tags=range_tags(HOUR, HOUR), asset_selection=assets, raise_on_error=False
    )
    assert result.success
    checked = {each.check_name for each in result.get_asset_check_evaluations()}
    assert checked - {"no_plaintext"} == {"conservation", "rejected_share", "withdrawn_receipts"}
    assert project.requests_seen("/validate") == []
