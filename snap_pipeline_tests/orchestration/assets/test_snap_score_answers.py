"""Snap's own scores in the insights job: asked once a day, kept, and shown beside ours."""

import re

import dagster as dg
import pytest

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.cli.insights import print_insights
from snap_pipeline.definitions import build_definitions
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.orchestration.jobs import INSIGHTS_JOB
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.orchestration.assets.test_dbt_marts import metadata_of
from snap_pipeline_tests.project import PIXEL_ID, Project, purchase

WRONG_TOKEN = "a-wrong-token-of-somebody"
ASSETS = [dg.AssetKey("snap_score_answers"), dg.AssetKey("snap_scores")]


def refresh(project: Project) -> dg.ExecuteInProcessResult:
    job = build_definitions(project.settings).resolve_job_def(INSIGHTS_JOB)
    return job.execute_in_process(instance=project.instance, asset_selection=ASSETS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> tuple[Project, dg.ExecuteInProcessResult]:
    """A project with a delivered purchase, and a destination whose token is wrong, after the insights job."""
    project = make_project(tmp_path_factory.mktemp("scores") / "home", sandbox_url)
    project.reopen(snap_scores=True, ads_api_url=sandbox_url)
    closed = project.settings.running_hour - ONE_HOUR
    project.add_destination()
    project.land(purchase("a", at=closed), hour=closed)
    assert project.materialize(closed).success
    wrong = project.add_destination("refused", pixel_id=PIXEL_ID.replace("1", "2"), token=AccessToken(WRONG_TOKEN))
    assert wrong.state == "live"
    job = build_definitions(project.settings).resolve_job_def(INSIGHTS_JOB)
    return project, job.execute_in_process(instance=project.instance)


def test_answers_are_kept_as_they_came_and_refusals_are_counted(
    built: tuple[Project, dg.ExecuteInProcessResult],
) -> None:
    project, result = built
    assert result.success
    told = metadata_of(result, "snap_score_answers")
    assert (told["asked"], told["with_scores"], told["without_scores"]) == (4, 2, 2)
    assert told["shop/pixels"] == "Snap gave its scores."
    assert str(told["refused/mobile_apps"]).startswith("Snap gave no scores to this token: ")
    # The sandbox has no events of the app.
    assert metadata_of(result, "snap_scores")["answers_not_understood"] == 1
    with project.pipeline.lake.connect() as connection:
        answers = project.pipeline.lake.storage.scan_all("snap_score_answers")
        kept = connection.execute(
            f"select hour, http_status, answer->>'$.event_quality_scores[0].event_name' from {answers} order by all"
        ).fetchall()
    day = f"{project.settings.now():%Y-%m-%d}T00"
    assert kept == [(day, 200, "PURCHASE"), (day, 200, None), (day, 401, None), (day, 401, None)]


def test_the_score_of_snap_stands_beside_ours(
    built: tuple[Project, dg.ExecuteInProcessResult], capsys: pytest.CaptureFixture[str]
) -> None:
    print_insights(built[0].pipeline.lake)
    said = " ".join(capsys.readouterr().out.split())
    assert "Snap's own score" in said
    # Of the identifiers that the sandbox scores, the purchase has an e-mail address alone.
    assert re.search(r"PURCHASE +│ +WEB +│ +1 +│ +[\d.]+ +│ +3\.0", said)
    assert "refused (pixels): Snap gave no scores to this token: the token is not valid there" in said
    assert "shop (mobile apps): Snap's answer is kept in snap_score_answers, but not understood" in said


def test_snap_is_asked_once_a_day_and_again_after_a_refusal(
    built: tuple[Project, dg.ExecuteInProcessResult],
) -> None:
    project, _ = built
    before = len(project.requests_seen("/event_quality_scores"))
    told = metadata_of(refresh(project), "snap_score_answers")
    # The app without events has an answer, so only the destination with the wrong token is asked again.
    assert told["asked"] == 2
    assert len(project.requests_seen("/event_quality_scores")) == before + 2


def test_the_token_is_in_no_event_and_no_file(built: tuple[Project, dg.ExecuteInProcessResult]) -> None:
    project, _ = built
    for record in project.instance.get_run_records():
        events = "".join(map(str, project.instance.all_logs(record.dagster_run.run_id)))
        assert WRONG_TOKEN not in events
    files = [path.read_bytes() for path in project.settings.lake.glob("snap_score*/**/*.parquet")]
    assert len(files) == 3
    assert not any(WRONG_TOKEN.encode() in content for content in files)


def test_switched_off_it_asks_nothing_and_says_so(project: Project) -> None:
    project.add_destination()
    result = refresh(project)
    assert str(metadata_of(result, "snap_score_answers")["state"]).startswith("Off: set SNAP_PIPELINE_SNAP_SCORES=true")
    assert project.requests_seen("/event_quality_scores") == []
    assert not list(project.settings.lake.glob("snap_score*"))


def test_a_server_that_is_down_fails_no_run(project: Project) -> None:
    project.add_destination()
    project.reopen(snap_scores=True, ads_api_url="http://127.0.0.1:9")
    told = metadata_of(refresh(project), "snap_score_answers")
    assert told["shop/pixels"] == "Snap gave no scores: 127.0.0.1 refused the connection."
