"""The setting `event_id_property`: the property or column that has the events' ids, in place of the usual keys."""

import pytest

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.conformance.rows import sha
from snap_pipeline_tests.project import HOUR, Project

NAMED = '[default]\nevent_id_property = "snap.event id"\n[blog]\n'
EVENT = {"event_name": "purchase", "event_id": "own", "event_timestamp": HOUR.isoformat()}


@pytest.fixture
def event_ids(project: Project) -> dict[str, str]:
    """The ids of the events of two workspaces, of which one names the property, by order id."""
    (project.settings.home / "workspaces.toml").write_text(NAMED)
    project.reopen()
    named = {"snap.event id": "pixel-1"}
    project.land(
        EVENT | {"order_id": "o column"} | named,
        EVENT | {"order_id": "o property", "properties": named},
        EVENT | {"order_id": "o number", "properties": {"snap.event id": 77}},
        EVENT | {"order_id": "o text", "properties": '{"snap.event id": "pixel-2"}'},
        EVENT | {"order_id": "o blank", "client_dedup_id": "c-1", "properties": {"snap.event id": " "}},
        EVENT | {"order_id": "o absent"},
        EVENT | {"order_id": "o plaintext", "snap.event id": "buy-person@example.com"},
    )
    project.land(EVENT | {"order_id": "o other workspace"} | named, workspace="blog")
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    return {row["order_id"]: row["event_id"] for row in project.rows("raw_events")}


def test_ids_are_read_from_the_column_or_the_property(event_ids: dict[str, str]) -> None:
    assert event_ids == {
        "o column": "pixel-1",
        "o property": "pixel-1",
        "o number": "77",
        "o text": "pixel-2",
        "o blank": "c-1",
        "o absent": "own",
        "o plaintext": sha("buy-person@example.com"),
        "o other workspace": "own",
    }
