"""Payloads of versions that wrote fewer columns: they are delivered and counted, even if their hour was pruned."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.retention import prune
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline_tests.project import HOUR, PIXEL_ID, SNAP_APP_ID, Project, purchase

PAYLOADS = partition(Table.CONVERSION_PAYLOADS, HOUR)
ALWAYS = ("workspace", "event_id", "event_name", "conversion_type", "event_time")
"""Columns without which a row would be no conversion."""
EVENT = purchase("e", phone="+447700900123", first_name="Ada", ip_address="192.0.2.9", user_agent="Mozilla/5.0 (X11)")


def columns(project: Project, query: str) -> list[tuple[str, str]]:
    with project.pipeline.lake.connect() as connection:
        return [(name, kind) for name, kind, *_ in connection.execute(f"describe {query}").fetchall()]


def without_columns(project: Project, names: Iterable[str]) -> None:
    """Rewrite the payloads as an older version might have written them."""
    storage = project.pipeline.lake.storage
    with project.pipeline.lake.connect() as connection:
        notes = storage.notes(connection, PAYLOADS)
        query = f"select * exclude ({', '.join(names)}) from {storage.scan([PAYLOADS])}"
        storage.commit(connection, PAYLOADS, query, metadata=notes)


@pytest.fixture
def made(project: Project) -> Project:
    """An hour with one event, ready to be sent."""
    project.land(EVENT)
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_filtered_events(HOUR)
    pipeline.transformations.make_conversion_payloads(HOUR)
    pipeline.transformations.make_parameter_completeness(HOUR)
    return project


def test_the_declared_columns_are_those_that_are_written(made: Project) -> None:
    stored = made.pipeline.lake.storage.scan([PAYLOADS])
    assert columns(made, sql("payload_columns")) == columns(made, f"from {stored}")


def bodies(project: Project, version: ApiVersion) -> list[Any]:
    """Return the states and bodies of the hour at a destination."""
    pipeline = project.pipeline
    destination = pipeline.destinations.get(version)
    with pipeline.lake.connect() as connection:
        pipeline.mappings.load_standards(connection)
        ledger = Ledger(pipeline.lake, HOUR, destination.id, "default")
        assert pipeline.states().prepare(connection, ledger, destination, HOUR)
        connection.execute("create table due as select file_row_number, 0 as position from payload_states")
        dialect = DIALECTS[version]
        parameters = dialect.projection_parameters(PIXEL_ID, SNAP_APP_ID)
        return connection.execute(dialect.projection, parameters).fetchall()


def test_a_partition_may_lack_any_column_that_another_version_added(made: Project) -> None:
    made.add_destination("v3")
    made.add_destination("v2", api_version="v2", pixel_id=SNAP_APP_ID)
    whole = made.pipeline.lake.storage.path(PAYLOADS).read_bytes()
    for name, _ in columns(made, sql("payload_columns")):
        if name not in ALWAYS:
            made.pipeline.lake.storage.path(PAYLOADS).write_bytes(whole)
            without_columns(made, [name])
            assert [len(bodies(made, version)) for version in ("v3", "v2")] == [1, 1], name
            assert made.pipeline.transformations.make_parameter_completeness(HOUR) > 0, name


def test_payloads_of_a_pruned_hour_that_lack_columns_are_delivered(made: Project) -> None:
    without_columns(made, ["fn", "madid", "hashed_idfv", "extinfo", "order_id", "dropped", "linked", "plaintext"])
    assert prune(made.pipeline.lake, made.pipeline.landing, HOUR + timedelta(hours=1)).hours == [HOUR]
    made.add_destination()
    assert made.materialize().success
    (event,) = made.received()
    assert event["event_id"] == "e"
    assert "fn" not in event["event"]["user_data"]
    assert made.counts()["delivered"] == 1
    assert made.pipeline.accounting.shared_orders([HOUR]) == 0
