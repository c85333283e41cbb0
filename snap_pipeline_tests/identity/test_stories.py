"""Payloads of the stories, made hour by hour in one lake."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR, floor_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.pipeline import Pipeline
from snap_pipeline_tests.identity.stories import ANN, ANNS_PHONE, BOB, BOBS_PHONE, STORIES, Happening, Story
from snap_pipeline_tests.project import HOUR, Project

BASE = {
    "ip_address": "192.0.2.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "properties": {"value": 10, "currency": "EUR"},
}


class StoryLake:
    """Lake with the events of all stories, and the outcome of each event."""

    def __init__(self, project: Project) -> None:
        self.project, self.pipeline = project, project.pipeline
        self.hours = sorted({self._land(story, each) for story in STORIES for each in story.happenings})
        for hour in self.hours:
            self.make(hour)
        self.outcomes: dict[tuple[str, str], Mapping[str, Any] | str] = {}
        for hour in self.hours:
            for row in project.rows("conversion_payloads", hour=hour):
                self.outcomes[row["workspace"], row["event_id"]] = row
            for row in project.rows("excluded_events", hour=hour):
                self.outcomes[row["workspace"], row["event_id"]] = row["reason"]

    def make(self, hour: datetime) -> None:
        make_raw_events(self.pipeline.lake, self.pipeline.landing, hour)
        self.pipeline.transformations.make_identity_links(hour)
        self.pipeline.transformations.make_filtered_events(hour)
        self.pipeline.transformations.make_conversion_payloads(hour)

    def _land(self, story: Story, each: Happening) -> datetime:
        moment = HOUR + timedelta(hours=each.hours)
        hour = floor_hour(moment)
        event = BASE | {"event_id": f"{story.name}-{each.hours}", "event_timestamp": moment.isoformat()} | each.event
        self.project.land(event, hour=hour, name=f"{each.hours}", workspace=story.name)
        return hour


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> StoryLake:
    home = tmp_path_factory.mktemp("home")
    (home / "workspaces.toml").write_text("\n".join(f"[{story.name}]" for story in STORIES))
    return StoryLake(Project(home, ""))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_each_event_knows_what_its_story_says(stories: StoryLake, story: Story) -> None:
    for event_id, expected in story.expected.items():
        outcome = stories.outcomes[story.name, event_id]
        if isinstance(expected, str) or isinstance(outcome, str):
            assert outcome == expected, event_id
        else:
            assert {name: outcome[name] for name in expected} == dict(expected), event_id


def test_links_keep_no_plaintext(stories: StoryLake) -> None:
    files = list((stories.pipeline.lake.storage.path("") / "identity_links").glob("hour=*/data.parquet"))
    assert len(files) == len(stories.hours)
    with stories.pipeline.lake.connect() as connection:
        text = str(connection.execute("from read_parquet($files)", {"files": [str(file) for file in files]}).fetchall())
    for plaintext in (ANN, BOB, ANNS_PHONE[1:], BOBS_PHONE[1:], "guest@"):
        assert plaintext not in text


def test_hours_made_again_in_any_order_are_the_same_row_by_row(stories: StoryLake) -> None:
    def payloads() -> dict[datetime, list[dict[str, Any]]]:
        return {hour: stories.project.rows("conversion_payloads", hour=hour) for hour in stories.hours}

    before = payloads()
    shuffled = random.Random(8).sample(stories.hours, len(stories.hours))
    for hour in shuffled:
        stories.make(hour)
    assert payloads() == before


def test_an_identify_that_lands_late_is_known_once_its_hours_are_made_again(project: Project) -> None:
    project.land(BASE | {"event_id": "p", "event_name": "purchase", "anonymous_id": "a",
                         "event_timestamp": HOUR.isoformat()})  # fmt: skip
    earlier = HOUR - 3 * ONE_HOUR
    project.land(
        {"type": "identify", "anonymousId": "b", "userId": "v", "timestamp": earlier.isoformat()}, hour=earlier
    )
    project.materialize(earlier)
    project.materialize()
    assert project.rows("conversion_payloads")[0]["em"] is None
    identify = {"type": "identify", "anonymousId": "a", "userId": "u", "traits": {"email": ANN}}
    project.land(identify | {"timestamp": earlier.isoformat()}, hour=earlier, name="late")
    project.materialize(earlier)
    project.materialize()
    assert project.rows("conversion_payloads")[0]["em"] is not None
    assert project.rows("conversion_payloads")[0]["linked"] == ["em", "external_id"]


def test_an_hour_made_first_knows_what_landed_before_it(project: Project) -> None:
    """A backfill may begin at any hour: missing links of the window are made, and no other table."""
    pipeline: Pipeline = project.pipeline
    earlier = HOUR - 50 * ONE_HOUR
    project.land(
        {"type": "identify", "anonymousId": "a", "userId": "u", "traits": {"email": ANN},
         "timestamp": earlier.isoformat()}, "{ no JSON", hour=earlier,
    )  # fmt: skip
    project.land(BASE | {"event_id": "p", "event_name": "purchase", "anonymous_id": "a",
                         "event_timestamp": HOUR.isoformat()})  # fmt: skip
    result = project.materialize()
    assert result.success
    assert project.rows("conversion_payloads")[0]["em"] is not None
    assert pipeline.lake.storage.path(partition(Table.IDENTITY_LINKS, earlier)).exists()
    assert not pipeline.lake.storage.path(partition(Table.RAW_EVENTS, earlier)).exists()


def test_links_that_older_code_wrote_are_made_again_and_those_of_today_are_left(project: Project) -> None:
    hours = [HOUR - 5 * ONE_HOUR, HOUR - 3 * ONE_HOUR]
    identify = {"type": "identify", "anonymousId": "a", "userId": "u", "traits": {"email": ANN}}
    for hour in hours:
        project.land(identify | {"timestamp": hour.isoformat()}, hour=hour)
    project.land(BASE | {"event_id": "p", "event_name": "purchase", "anonymous_id": "a",
                         "event_timestamp": HOUR.isoformat()})  # fmt: skip
    project.materialize(hours[0])
    project.materialize()
    paths = [project.pipeline.lake.storage.path(partition(Table.IDENTITY_LINKS, hour)) for hour in hours]
    assert project.rows("conversion_payloads")[0]["em"] is not None
    today = [path.read_bytes() for path in paths]
    with project.pipeline.lake.connect() as connection:
        project.pipeline.lake.storage.commit(connection, paths[0], "select 'default' as workspace, 'a' as anonymous_id")
    before = paths[1].stat().st_mtime_ns
    assert project.materialize().success
    assert project.rows("conversion_payloads")[0]["em"] is not None
    assert [path.read_bytes() for path in paths] == today
    assert paths[1].stat().st_mtime_ns == before


def test_a_name_that_is_found_to_mean_consent_counts_in_hours_of_before(project: Project) -> None:
    earlier = HOUR - 3 * ONE_HOUR
    project.land(BASE | {"event_name": "consent_update", "anonymous_id": "a", "consent": {"our own word": False},
                         "event_timestamp": earlier.isoformat()}, hour=earlier)  # fmt: skip
    project.land(BASE | {"event_id": "p", "event_name": "purchase", "anonymous_id": "a",
                         "event_timestamp": HOUR.isoformat()})  # fmt: skip
    project.materialize(earlier, HOUR)
    assert len(project.rows("conversion_payloads")) == 1
    project.settings.mappings.mkdir()
    (project.settings.mappings / "consent_purposes.csv").write_text("purpose,meaning\nOur own word,advertising\n")
    project.reopen()
    assert project.materialize().success
    assert [row["reason"] for row in project.rows("excluded_events")] == ["consent_denied"]


def test_an_hour_of_the_window_that_cannot_be_read_fails_the_step_and_is_named(project: Project) -> None:
    earlier = HOUR - 5 * ONE_HOUR
    folder = project.pipeline.landing.folder("default", earlier)
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where a folder belongs, since tests may run as root")
    project.land(BASE | {"event_name": "purchase", "anonymous_id": "a", "event_timestamp": HOUR.isoformat()})
    result = project.materialize()
    assert not result.success
    assert not project.pipeline.lake.storage.path(partition(Table.FILTERED_EVENTS, HOUR)).exists()
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert "2026-11-20T07" in str(failure.step_failure_data.error)
