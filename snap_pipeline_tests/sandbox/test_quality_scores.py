"""The sandbox's scores of what it received."""

import requests

from snap_pipeline_tests.project import PIXEL_ID, TOKEN, Project, purchase


def scores(url: str, *, asset: str = "pixels", asset_id: str = PIXEL_ID, token: str = TOKEN) -> requests.Response:
    address = f"{url}/v1/{asset}/{asset_id}/event_quality_scores"
    return requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_scores_follow_the_identifiers_of_the_events(project: Project) -> None:
    project.add_destination()
    project.land(purchase("a"), purchase("b", click_ids={"ScCid": "click"}))
    assert project.materialize().success
    answer = scores(project.sandbox_url)
    assert answer.status_code == 200
    (score,) = answer.json()["event_quality_scores"]
    # Both have an e-mail address (0.3), one a click id (0.25).
    assert score["event_quality_score"] == 10 * (0.3 + 0.25 / 2)
    assert (score["event_name"], score["action_source"], score["event_source"]) == ("PURCHASE", "WEB", "API")
    assert score["recommendations"][0] == {"priority": "P0", "parameter": "ph"}
    assert scores(project.sandbox_url, asset="mobile_apps").json()["event_quality_scores"] == [score]


def test_a_wrong_token_and_a_foreign_asset_are_refused(project: Project) -> None:
    assert scores(project.sandbox_url, token="wrong").status_code == 401
    assert scores(project.sandbox_url, asset_id="no-uuid").status_code == 401
    assert [each["status"] for each in project.requests_seen("/event_quality_scores")] == [401, 401]
