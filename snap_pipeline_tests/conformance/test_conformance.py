"""Conformance table: all rows land in one hour, pass the real steps once, and are compared one by one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from snap_pipeline.capi.api_version import DIALECTS
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.destination import ApiVersion
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests import conformance
from snap_pipeline_tests.conformance.rows import ANDROID_APP, APP, IOS_APP, PIXEL
from snap_pipeline_tests.project import HOUR, Project

THEMES = {
    name: import_module(f"{conformance.__name__}.{name}")
    for _, name, _ in iter_modules(conformance.__path__)
    if name != "rows" and not name.startswith("test_")
}
ROWS = {f"{name}-{number:02}": row for name, theme in THEMES.items() for number, row in enumerate(theme.ROWS)}
WORKSPACES = """
[default]

[britain]
site_url = "https://shop.example.co.uk/"
default_currency = "GBP"
default_calling_code = "44"

[america]
default_calling_code = "1"

[canada]
default_currency = "CAD"

[strict]
unknown_consent = "exclude"
unmapped_events = "exclude"

[careful]
unknown_consent = "limited"

[hashing]
hash_external_id = true

[naming]
event_id_property = "snap_event_id"
"""
MAPPINGS = "source_name,snap_name,workspace\nLead Form Sent,SIGN_UP,britain\nInternal Beacon,,\n"


@dataclass
class Outcome:
    """Outcomes of the table's events, by event id."""

    bodies: dict[str, dict[str, Any]]
    texts: dict[str, dict[str, str]]
    states: dict[str, dict[str, str | None]]
    excluded: dict[str, str]
    dropped: dict[str, list[str]]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Land every row and run the steps."""
    home = tmp_path_factory.mktemp("conformance")
    (home / "workspaces.toml").write_text(WORKSPACES)
    (home / "mappings").mkdir()
    (home / "mappings" / "event_names.csv").write_text(MAPPINGS)
    project = Project(home, "http://127.0.0.1:9")
    for workspace in {row.workspace for row in ROWS.values()}:
        lines = [row.landed(event_id) for event_id, row in ROWS.items() if row.workspace == workspace]
        project.land(*lines, workspace=workspace)
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_filtered_events(HOUR)
    pipeline.transformations.make_conversion_payloads(HOUR)
    texts: dict[str, dict[str, str]] = {"v3": {}, "v2": {}}
    states: dict[str, dict[str, str | None]] = {"v3": {}, "v2": {}}
    for version in ("v3", "v2"):
        for workspace in pipeline.workspaces:
            read_workspace(project, workspace, version, texts[version], states[version])
    excluded = {row["event_id"]: row["reason"] for row in project.rows("excluded_events")}
    dropped = {row["event_id"]: row["dropped"] for row in project.rows("conversion_payloads")}
    bodies = {version: {key: json.loads(text) for key, text in found.items()} for version, found in texts.items()}
    yield Outcome(bodies, texts, states, excluded, dropped)


def read_workspace(
    project: Project, workspace: str, version: ApiVersion, texts: dict[str, str], states: dict[str, str | None]
) -> None:
    """Read the bodies and states of a workspace's destination into `texts` and `states`."""
    store_ids = {"ios_app_id": IOS_APP, "android_app_id": ANDROID_APP}
    destination = project.add_destination(
        f"{workspace}-{version}", workspace=workspace, api_version=version, **store_ids
    )
    pipeline = project.pipeline
    with pipeline.lake.connect() as connection:
        pipeline.mappings.load_standards(connection)
        ledger = Ledger(pipeline.lake, HOUR, destination.id, workspace)
        assert pipeline.states().prepare(connection, ledger, destination, HOUR)
        connection.execute("create table due as select file_row_number, 0 as position from payload_states")
        dialect = DIALECTS[version]
        rows = connection.execute(dialect.projection, dialect.projection_parameters(PIXEL, APP, **store_ids)).fetchall()
        texts |= {row[1]: row[2] for row in rows}
        states |= dict(connection.execute("select event_id, reason from payload_states").fetchall())
    pipeline.destinations.remove(destination.name)


def test_the_table_is_large_enough() -> None:
    assert len(ROWS) >= 120
    assert len({row.title for row in ROWS.values()}) == len(ROWS)


@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize("event_id", ROWS, ids=lambda event_id: f"{event_id} {ROWS[event_id].title}")
def test_row(outcome: Outcome, event_id: str, version: str) -> None:
    row = ROWS[event_id]
    assert outcome.excluded.get(event_id) == row.excluded
    if row.excluded:
        assert event_id not in outcome.bodies[version]
        return
    expected = row.body_v3(event_id) if version == "v3" else row.body_v2(event_id)
    assert outcome.bodies[version][event_id] == expected
    assert outcome.states[version][event_id] == row.undeliverable.get(version)
    assert sorted(outcome.dropped[event_id]) == sorted(row.dropped)


def test_no_body_holds_the_word_for_nothing(outcome: Outcome) -> None:
    for text in (*outcome.texts["v3"].values(), *outcome.texts["v2"].values()):
        for word in ("null", "NaN", "Infinity", "undefined", "None", "{}", "[]", '""'):
            assert word not in text.replace('"extinfo":["', "").replace('""', "" if '"extinfo"' in text else '""')
