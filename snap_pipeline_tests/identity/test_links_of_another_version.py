"""Links of older versions or mappings: no denial of consent is lost when hours are made again."""

import shutil
from typing import Any

import duckdb
import pytest

from snap_pipeline.errors import LakeError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.plaintext import plaintext_in
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, literal, partition
from snap_pipeline_tests.project import HOUR, Project, purchase

EARLIER = HOUR - 3 * ONE_HOUR


@pytest.fixture
def refused(project: Project) -> Project:
    """Make an earlier hour with a denial of consent, and land a purchase of the same person in this hour."""
    project.land(page_view(consent={"ads": False}), hour=EARLIER)
    project.land(purchase("p", anonymous_id="a"))
    make_links(project)
    return project


def page_view(**changes: Any) -> dict[str, Any]:
    return {"event_name": "view_item", "anonymous_id": "a", "event_timestamp": EARLIER.isoformat(), **changes}


def make_links(project: Project) -> None:
    make_raw_events(project.pipeline.lake, project.pipeline.landing, EARLIER)
    project.pipeline.transformations.make_identity_links(EARLIER)


def reasons(project: Project) -> list[str]:
    """Make the newest hour in a new process, and return the exclusion reasons."""
    project.reopen()
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    project.pipeline.transformations.make_filtered_events(HOUR)
    return [row["reason"] for row in project.rows("excluded_events")]


def rewrite(project: Project, table: str, columns: str, **notes: str) -> None:
    """Rewrite the earlier hour's partition as another version might have written it."""
    lake = project.pipeline.lake
    path = lake.storage.path(partition(table, EARLIER))
    with lake.connect() as connection:
        kept = {
            name: note
            for name, note in lake.storage.notes(connection, lake.storage.key_of(str(path))).items()
            if name not in notes
        }
        query = f"select {columns} from read_parquet({literal(path)}, hive_partitioning = false)"
        lake.storage.commit(connection, path, query, metadata=kept | notes)


def prune(project: Project) -> None:
    lake = project.pipeline.lake
    lake.storage.path(lake.pruned_note(EARLIER)).write_text('{"default": 1}')
    lake.storage.path(partition(Table.RAW_EVENTS, EARLIER)).unlink()
    (project.pipeline.landing.folder("default", EARLIER) / "events.ndjson").unlink(missing_ok=True)


def test_a_file_that_lands_in_a_pruned_hour_does_not_take_the_place_of_its_links(refused: Project) -> None:
    prune(refused)
    refused.land(page_view(anonymous_id="somebody else"), hour=EARLIER, name="late")
    rewrite(refused, "identity_links", "*", links_version="of other mappings")
    assert reasons(refused) == ["consent_denied"]


def test_links_of_a_pruned_hour_that_cannot_be_read_today_are_named(refused: Project) -> None:
    prune(refused)
    rewrite(refused, "identity_links", "* exclude (kinds)", links_version="of an older version")
    with pytest.raises(LakeError, match=f"{EARLIER:%Y-%m-%dT%H} are of an older version of the pipeline"):
        reasons(refused)


def test_links_of_a_pruned_hour_may_lack_a_value_that_is_newer_than_they_are(refused: Project) -> None:
    refused.land(
        page_view(anonymous_id="b", user_id="ada", email="ada@example.com", gender="f"), hour=EARLIER, name="ada"
    )
    refused.land(purchase("p2", anonymous_id="b", email=None), name="hers")
    make_links(refused)
    prune(refused)
    rewrite(refused, "identity_links", "* exclude (ge)", links_version="of an older version")
    assert reasons(refused) == ["consent_denied"]
    refused.pipeline.transformations.make_conversion_payloads(HOUR)
    (payload,) = refused.rows("conversion_payloads")
    assert (payload["event_id"], payload["linked"], payload["ge"]) == ("p2", ["em", "external_id"], None)


def test_links_of_many_pruned_hours_are_looked_at_together(refused: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    prune(refused)
    rewrite(refused, "identity_links", "*", links_version="of other mappings")
    databases: list[object] = []
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda **options: databases.append(options) or connect(**options))
    assert reasons(refused) == ["consent_denied"]
    with_one_hour = len(databases)
    databases.clear()
    lake = refused.pipeline.lake
    for number in range(1, 21):
        hour = EARLIER - number * ONE_HOUR
        for path in (
            lake.storage.path(partition(Table.IDENTITY_LINKS, hour)),
            lake.storage.path(lake.pruned_note(hour)),
        ):
            path.parent.mkdir(parents=True)
        shutil.copy(
            lake.storage.path(partition(Table.IDENTITY_LINKS, EARLIER)),
            lake.storage.path(partition(Table.IDENTITY_LINKS, hour)),
        )
        shutil.copy(lake.storage.path(lake.pruned_note(EARLIER)), lake.storage.path(lake.pruned_note(hour)))
    assert reasons(refused) == ["consent_denied"]
    assert len(databases) == with_one_hour


def test_a_refusal_that_an_older_version_did_not_understand_is_read_again(refused: Project) -> None:
    rewrite(refused, "raw_events", "* replace (null::json as consent)", recipe="older")
    rewrite(refused, "identity_links", "* replace (null::varchar as choices)", links_version="older")
    assert reasons(refused) == ["consent_denied"]


def test_an_address_with_a_control_character_in_it_is_no_click_id(project: Project) -> None:
    project.land(page_view(page_url="https://shop.example.com/?ScCid=ann%1F@example.com"), hour=EARLIER)
    project.land(purchase("p", anonymous_id="a"))
    make_links(project)
    assert reasons(project) == []
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    lake = project.pipeline.lake
    assert plaintext_in(lake, partition(Table.CONVERSION_PAYLOADS, HOUR)) is None
    assert "example.com" not in str(project.rows("identity_links", hour=EARLIER))
