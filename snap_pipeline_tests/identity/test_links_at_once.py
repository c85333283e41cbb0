"""Runs that make the links of one hour at the same time: those of the last reading stay, whoever writes last."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import lake
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.project import HOUR, Project, purchase

EARLIER = HOUR - 3 * ONE_HOUR
OTHER = HOUR - ONE_HOUR


@pytest.fixture
def between(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Hours, for a test to name, that another run makes once `EARLIER` has been read, before its links are in place.

    A refusal has landed in it by then.
    """
    hours: list[datetime] = []
    paths: dict[Path, Path] = {}
    new_draft = lake.new_draft

    def note_path(root: Path, path: Path) -> Path:
        draft = new_draft(root, path)
        paths[draft] = path
        return draft

    def make_durable(draft: Path) -> None:
        if paths.get(draft) == project.pipeline.lake.path("identity_links", EARLIER) and hours:
            another = Project(project.settings.home, project.sandbox_url)
            another.land(said(consent={"ads": False}), hour=EARLIER, name="late")
            make(another, hours.pop())

    monkeypatch.setattr(lake, "new_draft", note_path)
    monkeypatch.setattr(lake, "make_durable", make_durable)
    return hours


def said(**changes: Any) -> dict[str, Any]:
    return {"event_name": "view_item", "anonymous_id": "a", "event_timestamp": EARLIER.isoformat(), **changes}


def make(project: Project, hour: datetime) -> None:
    make_raw_events(project.pipeline.lake, project.pipeline.landing, hour)
    project.pipeline.transformations.make_identity_links(hour)
    project.pipeline.transformations.make_filtered_events(hour)


@pytest.mark.parametrize(
    ("is_read", "other"), [(True, EARLIER), (False, EARLIER), (False, OTHER)],
    ids=["its raw events were made again", "its raw events were made", "another run missed its links as well"],
)  # fmt: skip
def test_an_older_reading_that_is_written_last_loses_no_refusal(
    project: Project, between: list[datetime], is_read: bool, other: datetime
) -> None:
    project.land(said(), hour=EARLIER)
    if is_read:
        make_raw_events(project.pipeline.lake, project.pipeline.landing, EARLIER)
    project.land(purchase("p", anonymous_id="a"))
    between.append(other)
    make(project, HOUR)
    assert not between
    assert [row["reason"] for row in project.rows("excluded_events")] == ["consent_denied"]
