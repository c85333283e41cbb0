"""Steps that read a partition of an earlier version of the pipeline."""

import pytest

from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.transform import OutdatedPartition
from snap_pipeline_tests.project import HOUR, Project, purchase


@pytest.mark.parametrize(("table", "column"), [(Table.RAW_EVENTS, "action_source"), (Table.FILTERED_EVENTS, "price")])
def test_a_step_says_that_its_source_is_of_an_earlier_version(project: Project, table: Table, column: str) -> None:
    project.land(purchase("a"))
    project.materialize()
    storage = project.pipeline.lake.storage
    with project.pipeline.lake.connect() as connection:
        connection.execute(
            f"create table old as select * exclude ({column}) from {storage.scan([partition(table, HOUR)])}"
        )
        storage.commit(connection, partition(table, HOUR), "from old")
    steps = project.pipeline.transformations
    make = steps.make_filtered_events if table == Table.RAW_EVENTS else steps.make_conversion_payloads
    with pytest.raises(OutdatedPartition, match=f"{table} of 2026-11-20T12 was made by an earlier version"):
        make(HOUR)
    project.materialize()
    assert len(project.rows("conversion_payloads")) == 1
