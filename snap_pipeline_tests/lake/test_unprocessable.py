"""Quarantine of events on which DuckDB fails, with file and line, while their hour is made without them."""

import duckdb
import pytest

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import hour_reader, identity, transform
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.row_errors import rows_that_fail
from snap_pipeline_tests.project import HOUR, Project, purchase

RAISES = "case when first_name = 'boom' then error('boom') else true end"
FAULTS = {
    "raw_events": lambda text: f"from ({text}) where {RAISES}",
    "identity_links": lambda text: text.replace("from raw_events", f"from raw_events where {RAISES}", 1),
    "filtered_events": lambda text: f"{text} and {RAISES}",
    "conversion_payloads": lambda text: text.replace("from devices", f"from devices where {RAISES}", 1),
}


def inject(patch: pytest.MonkeyPatch, table: str) -> None:
    """Inject a defect: the SQL of one table fails for an event."""
    whole = hour_reader.sql

    def sql(name: str) -> str:
        text = whole(name)
        return FAULTS[name](text) if name == table else text

    for module in (hour_reader, identity, transform):
        patch.setattr(module, "sql", sql)


def make(project: Project) -> None:
    """Run the steps of the hour, each as its asset calls it."""
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_identity_links(HOUR)
    pipeline.transformations.make_filtered_events(HOUR)
    pipeline.transformations.make_conversion_payloads(HOUR)
    pipeline.transformations.make_parameter_completeness(HOUR)


def ids(project: Project, table: str = "conversion_payloads") -> list[str]:
    return sorted(row["event_id"] for row in project.rows(table))


@pytest.fixture
def landed(project: Project) -> Project:
    """Land good events of two workspaces in two files, and two bad ones."""
    (project.settings.home / "workspaces.toml").write_text("[default]\n[other]\n")
    project.reopen()
    odd = {"first_name": "boom", "anonymous_id": "a"}
    lines = [purchase("a"), purchase("odd", **odd), "", "no json", purchase("b"), purchase("odd too", **odd)]
    project.land(*lines)
    project.land(purchase("c"), workspace="other", name="others")
    return project


@pytest.mark.parametrize("table", FAULTS)
def test_the_hour_is_made_without_the_events_that_raise(
    landed: Project, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    with monkeypatch.context() as patch:
        inject(patch, table)
        make(landed)
        assert ids(landed) == ids(landed, "raw_events") == ["a", "b", "c"]
        quarantined = {(row["line_number"], row["reason"]) for row in landed.rows("quarantined_lines")}
        assert quarantined == {(2, "unprocessable"), (4, "malformed_json"), (6, "unprocessable")}
        assert unaccounted(landed.entries()) == []
        make(landed)
        assert ids(landed) == ["a", "b", "c"]
    make(landed)
    assert ids(landed) == ["a", "b", "c", "odd", "odd too"]
    assert [row["line_number"] for row in landed.rows("quarantined_lines")] == [4]


def test_links_of_an_earlier_hour_that_was_not_read_are_made_without_the_event(
    landed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed.land(purchase("later", at=HOUR + ONE_HOUR), hour=HOUR + ONE_HOUR)
    inject(monkeypatch, "identity_links")
    pipeline = landed.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR + ONE_HOUR)
    assert pipeline.transformations.make_filtered_events(HOUR + ONE_HOUR).kept == 1


@pytest.mark.parametrize("table", FAULTS)
def test_a_quiet_hour_may_hold_nothing_but_odd_events(
    project: Project, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    odd = {"first_name": "boom", "anonymous_id": "a"}
    project.land(purchase("odd", **odd), purchase("odd too", **odd))
    inject(monkeypatch, table)
    make(project)
    assert ids(project) == []
    assert [row["reason"] for row in project.rows("quarantined_lines")] == ["unprocessable"] * 2
    assert unaccounted(project.entries()) == []


@pytest.mark.parametrize("error", [duckdb.IOException, duckdb.OutOfMemoryException])
def test_disks_and_memory_quarantine_nothing(
    landed: Project, monkeypatch: pytest.MonkeyPatch, error: type[duckdb.Error]
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error("No space left on device")

    monkeypatch.setattr(transform.Transformations, "_write", fail)
    pipeline = landed.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    with pytest.raises(Exception, match="No space left"):
        pipeline.transformations.make_filtered_events(HOUR)
    assert len(landed.rows("raw_events")) == 5


def test_a_step_that_fails_with_every_event_is_about_none_of_them(
    landed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAULTS, "conversion_payloads", lambda text: text.replace("hashed_gender(gender)", "error('x')"))
    inject(monkeypatch, "conversion_payloads")
    with pytest.raises(duckdb.InvalidInputException):
        make(landed)
    assert len(landed.rows("raw_events")) == 5


@pytest.mark.parametrize(
    ("bad", "found"), [({3}, [3]), ({0, 7}, [0, 7]), ({2, 3, 4}, [2, 3, 4]), (set(), []), (set(range(8)), [])]
)
def test_rows_are_found_by_halving(bad: set[int], found: list[int]) -> None:
    tries: list[tuple[int, int]] = []

    def fails(first: int, end: int) -> bool:
        tries.append((first, end))
        return bool(bad & set(range(first, end)))

    assert sorted(rows_that_fail(8, fails)) == found
    assert len(bad) != 1 or len(tries) == 7
