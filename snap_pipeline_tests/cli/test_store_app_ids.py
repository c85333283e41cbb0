"""The ids of an app in its stores, as settings of a destination."""

import json
from typing import Any

from snap_pipeline_tests.project import HOUR, SNAP_APP_ID, Project, ids, key, purchase

RANGE = ("--from", key(HOUR), "--to", key(HOUR))


def test_an_app_event_waits_for_the_id_of_its_store_and_is_sent_once_it_is_set(run: Any, project: Project) -> None:
    project.add_destination(api_version="v2")
    project.land(
        purchase("ios", action_source="app", os_name="iOS"),
        purchase("android", action_source="app", os_name="Android"),
        purchase("unknown", action_source="app"),
    )
    assert run("materialize", *RANGE).exit_code == 0
    assert project.counts()["undeliverable: no_store_app_id"] == 3
    assert "none: that of the event" in run("destination", "show", "shop").stdout

    assert run("destination", "set", "shop", "--ios-app-id", "id447188370").exit_code == 0
    assert run("destination", "set", "shop", "--android-app-id", "com.example.shop").exit_code == 0
    previewed = [json.loads(line) for line in run("preview", "--hour", key(HOUR)).stdout.splitlines()]
    assert run("materialize", *RANGE).exit_code == 0

    assert {event["client_dedup_id"]: event["app_id"] for event in previewed} == {
        "ios": "447188370",
        "android": "com.example.shop",
    }
    assert ids(project.received(SNAP_APP_ID)) == ["android", "ios"]
    assert project.counts()["undeliverable: no_store_app_id"] == 1
    assert "447188370" in run("destination", "show", "shop").stdout


def test_a_bundle_id_is_refused_as_the_number_of_the_app_store(run: Any, project: Project) -> None:
    project.add_destination()
    result = run("destination", "set", "shop", "--ios-app-id", "com.example.shop")
    assert result.exit_code == 2
    assert "A bundle id such as com.example.shop is not it." in result.stderr
