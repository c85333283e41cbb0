"""Concurrent runs that make the links of one hour: the last reading wins, whoever writes last."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import storage
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline_tests.project import HOUR, Project, purchase

EARLIER = HOUR - 3 * ONE_HOUR
OTHER = HOUR - ONE_HOUR


@pytest.fixture
def between(project: Project, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Return a list of hours that another run makes after `EARLIER` is read, before its links are written.

    A refusal has landed in it by then.
    """
    hours: list[datetime] = []
    atomic_write = storage.atomic_write

    @contextmanager
    def interrupted(path: Path, draft: Path, **options: Any) -> Iterator[Path]:
        with atomic_write(path, draft, **options):
            yield draft
            act(path)

    def act(path: Path) -> None:
        if path == project.pipeline.lake.storage.path(partition(Table.IDENTITY_LINKS, EARLIER)) and hours:
            another = Project(project.settings.home, project.sandbox_url)
            another.land(page_view(consent={"ads": False}), hour=EARLIER, name="late")
            make(another, hours.pop())

    monkeypatch.setattr(storage, "atomic_write", interrupted)
    return hours


def page_view(**changes: Any) -> dict[str, Any]:
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
    project.land(page_view(), hour=EARLIER)
    if is_read:
        make_raw_events(project.pipeline.lake, project.pipeline.landing, EARLIER)
    project.land(purchase("p", anonymous_id="a"))
    between.append(other)
    make(project, HOUR)
    assert not between
    assert [row["reason"] for row in project.rows("excluded_events")] == ["consent_denied"]
