"""`destination list` and `show`: a destination's health, from the lake and the state database."""

from typing import Any

import pytest

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import CATALOGUE, Category, with_destination
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project, key, purchase

SECRET = "a-token-that-nobody-may-see"


@pytest.fixture
def shown(run):
    """The output of both commands about the destination."""

    def both() -> str:
        results = [run("destination", "list"), run("destination", "show", "shop")]
        assert [result.exit_code for result in results] == [0, 0]
        assert SECRET not in results[0].output + results[1].output
        return "\n".join(result.stdout for result in results)

    return both


def test_a_destination_that_takes_everything_is_live_with_its_latency(shown, project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.materialize()
    text = shown()
    assert "live, since" in text
    assert "Nothing to do." in text
    assert "last success:       20" in text
    assert " ms" in text.split("average latency:")[1]
    assert "last error:         none" in text


def test_a_refused_token_is_told_before_what_is_left_and_goes_when_it_is_renewed(shown, run, project: Project) -> None:
    project.add_destination(token=AccessToken(SECRET))
    project.land(purchase("a"), purchase("b"))
    project.materialize()
    text = shown()
    assert "unauthorized, since" in text
    assert "shop is unauthorized: The access token is invalid" in text
    assert "pending:            2 events, 0 in doubt" in text
    assert "next attempt:       after" in text

    assert run("destination", "rotate-token", "shop").exit_code == 0
    text = shown()
    assert "shop is behind: Events not delivered: 2 pending, the oldest of 2026-11-20T12" in text
    assert "HTTP 401" in text.split("last error:")[1]


def test_servers_in_trouble_are_failing(shown, project: Project) -> None:
    project.add_destination()
    project.set_fault(status=404)
    project.land(purchase("a"))
    project.materialize()
    assert "shop is failing: The base URL or an asset id is wrong" in shown()


@pytest.mark.parametrize(
    ("fault", "words"),
    [(None, "no answer: "), ({"status": 503, "count": 100}, "HTTP 503: ")],
)
def test_a_destination_that_takes_nothing_is_failing_with_one_batch_an_hour(
    shown, run, project: Project, fault: dict[str, Any] | None, words: str
) -> None:
    base_url = project.sandbox_url if fault else "http://127.0.0.1:1"
    project.add_destination(base_url=base_url)
    if fault:
        project.set_fault(**fault)
    category = Category.SERVER_ERROR if fault else Category.NO_CONNECTION
    project.land(purchase("a"))
    assert not project.materialize().success
    text = shown()
    remedy = with_destination(CATALOGUE[category].remedy, "shop")
    assert f"shop is failing: {remedy}" in text
    assert words in text.split("last error:")[1]
    assert remedy in text.split("last error:")[1]
    assert "next attempt:       after" in text

    project.clear_faults()
    run("destination", "set", "shop", "--base-url", project.sandbox_url)
    assert "shop is behind" in shown()
    assert project.materialize().success
    assert "live, since" in shown()


def test_what_passes_by_itself_within_a_run_is_no_error(shown, project: Project) -> None:
    project.add_destination()
    project.set_fault(status=503, count=2)
    project.land(purchase("a"))
    assert project.materialize().success
    text = shown()
    assert "live, since" in text
    assert "last error:         none" in text


def test_an_hour_that_went_through_after_one_that_did_not_has_the_last_word(shown, project: Project) -> None:
    project.add_destination()
    project.set_fault(status=503, count=12)  # four requests in each of the step's three attempts
    project.land(purchase("a", at=HOUR - ONE_HOUR), hour=HOUR - ONE_HOUR)
    assert not project.materialize(HOUR - ONE_HOUR).success
    assert "shop is failing" in shown()
    project.land(purchase("b"))
    assert project.materialize().success
    assert "shop is behind" in shown()


def test_a_paused_destination_keeps_what_is_pending_and_a_removed_one_owes_nothing(
    shown, run, project: Project
) -> None:
    project.add_destination(live=False)
    project.land(purchase("a"))
    project.materialize()
    text = shown()
    assert "paused, since" in text
    assert "are kept (1)" in text

    run("destination", "remove", "shop", "--yes")
    assert PIXEL_ID not in run("destination", "list").stdout
    assert run("materialize", "--from", key(HOUR), "--to", key(HOUR)).exit_code == 0
    assert project.received() == []
