"""Damaged partitions: named with the remedy, limited to their hour, and made again where possible."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from snap_pipeline.cli import main
from snap_pipeline.hours import ONE_HOUR, format_hour
from snap_pipeline.lake.damage import DamagedPartition
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.orchestration.assets.dbt_marts import build, resources
from snap_pipeline_tests.project import HOUR, NOW, START, Project, ids, purchase

NEXT = HOUR + ONE_HOUR
FROM_RAW_EVENTS = (
    "identity_links",
    "filtered_events",
    "excluded_events",
    "conversion_payloads",
    "parameter_completeness",
)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "another file": lambda _: b"event_id,event_name\n" * 20,
    "zeros in the rows": lambda content: content[:4] + bytes(60) + content[64:],
    "zeros in the footer": lambda content: content[: -8 - footer(content)] + bytes(footer(content)) + content[-8:],
    "zeros in a note": lambda content: content.replace(b'"source_file"', bytes(13)).replace(b'"', b"\0"),
}


def footer(content: bytes) -> int:
    """Return the length of a Parquet file's footer."""
    return int.from_bytes(content[-8:-4], "little")


def spoil(path: Path, damage: str = "cut off") -> Path:
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    return path


def make(project: Project, hour: datetime) -> None:
    """Make all tables of an hour, without Dagster around them."""
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, hour)
    pipeline.transformations.make_identity_links(hour)
    pipeline.transformations.make_filtered_events(hour)
    pipeline.transformations.make_conversion_payloads(hour)
    pipeline.transformations.make_parameter_completeness(hour)
    for destination in pipeline.destinations.list():
        assert pipeline.dispatcher().dispatch(destination, hour).is_complete


def read(project: Project) -> None:
    """Read the rows and then the notes of an hour's raw events."""
    project.pipeline.transformations.make_filtered_events(HOUR)
    make(project, HOUR)


@pytest.fixture
def two_hours(project: Project) -> Project:
    """Two hours made and delivered."""
    project.add_destination()
    project.land(purchase("a"), "no json", hour=HOUR)
    project.land(purchase("b", at=NEXT), hour=NEXT)
    make(project, HOUR)
    make(project, NEXT)
    return project


def output(project: Project, *arguments: str, status: int = 1) -> str:
    """Return what a command prints."""
    environment = {
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def test_damage_of_any_kind_is_mended_in_links_and_named_in_raw_events(two_hours: Project) -> None:
    pipeline = two_hours.pipeline
    links = two_hours.rows("identity_links")
    path = pipeline.lake.storage.path(partition(Table.RAW_EVENTS, HOUR))
    raw_events = path.read_bytes()
    for damage in DAMAGES:
        spoil(pipeline.lake.storage.path(partition(Table.IDENTITY_LINKS, HOUR)), damage)
        pipeline.transformations.make_filtered_events(NEXT)
        assert two_hours.rows("identity_links") == links, damage

        spoil(path, damage)
        with pytest.raises(DamagedPartition) as caught:
            read(two_hours)
        message = str(caught.value)
        assert f"raw_events of {format_hour(HOUR)} is damaged (" in message, damage
        assert f"{path}. Delete the file and materialize the hour from raw_events on" in message, damage
        path.write_bytes(raw_events)


def test_commands_name_it_and_answer_about_the_rest(two_hours: Project) -> None:
    path = spoil(two_hours.pipeline.lake.storage.path(partition(Table.CONVERSION_PAYLOADS, NEXT)))
    assert f"{path}. Delete the file" in output(two_hours, "status")
    assert f"{path}. Delete the file" in output(two_hours, "sql", "select count(*) from conversion_payloads")
    assert output(two_hours, "sql", "--csv", "select count(*) as n from raw_events", status=0).split() == ["n", "2"]


def test_a_run_makes_again_what_is_made_from_raw_events(two_hours: Project) -> None:
    before = {table: two_hours.rows(table) for table in FROM_RAW_EVENTS}
    for table in FROM_RAW_EVENTS:
        spoil(two_hours.pipeline.lake.storage.path(partition(table, HOUR)))
    make(two_hours, HOUR)
    assert {table: two_hours.rows(table) for table in FROM_RAW_EVENTS} == before
    assert {event["received"] for event in two_hours.received()} == {1}


@pytest.mark.parametrize("table", ["raw_events", "conversion_payloads"])
def test_its_hour_is_asked_for_and_other_hours_go_on(two_hours: Project, table: str) -> None:
    spoil(two_hours.pipeline.lake.storage.path(partition(table, HOUR)))
    two_hours.land(purchase("late", at=NEXT), hour=NEXT, name="late")
    assert set(two_hours.pipeline.backlog.find(two_hours.settings.running_hour - ONE_HOUR, NOW)) == {HOUR, NEXT}
    make(two_hours, NEXT)
    assert ids(two_hours.received()) == ["a", "b", "late"]


def test_raw_events_are_made_again_from_the_landing_files_once_deleted(two_hours: Project) -> None:
    path = spoil(two_hours.pipeline.lake.storage.path(partition(Table.RAW_EVENTS, HOUR)))
    with pytest.raises(DamagedPartition):
        make(two_hours, HOUR)
    path.unlink()
    make(two_hours, HOUR)
    assert [row["event_id"] for row in two_hours.rows("raw_events")] == ["a"]
    assert {event["received"] for event in two_hours.received()} == {1}


def test_damaged_receipts_are_not_taken_for_none(two_hours: Project) -> None:
    receipts = two_hours.pipeline.lake.storage.path("") / "delivery_receipts"
    (path,) = receipts.glob(f"hour={format_hour(HOUR)}/*/*.parquet")
    spoil(path)
    with pytest.raises(DamagedPartition, match="Restore it from a backup"):
        make(two_hours, HOUR)
    assert {event["received"] for event in two_hours.received()} == {1}


def test_a_mart_that_dbt_cannot_make_names_it(two_hours: Project) -> None:
    path = spoil(two_hours.pipeline.lake.storage.path(partition(Table.PARAMETER_COMPLETENESS, HOUR)))
    asset = build(two_hours.pipeline)[-1]
    result = dg.materialize(
        [asset], selection="stg_parameter_completeness+", resources=resources(), raise_on_error=False
    )
    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert f"{path}. Delete the file" in str(failure.error)
