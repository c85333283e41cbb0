"""Guarantees of the lake's connections."""

import duckdb
import pytest

from snap_pipeline_tests.project import Project

SETTINGS = "select current_setting('threads'), current_setting('disabled_optimizers')"


def test_a_failure_while_order_is_kept_leaves_the_settings_as_they_were(project: Project) -> None:
    lake = project.pipeline.lake
    with lake.connect_with_macros() as connection:
        before = connection.execute(SETTINGS).fetchone()
        with pytest.raises(duckdb.InvalidInputException, match="no luck"), lake.keeping_order(connection):
            assert connection.execute(SETTINGS).fetchone() != before
            connection.execute("begin")
            connection.execute("select error('no luck')")
    with lake.connect_with_macros() as connection:
        assert connection.execute(SETTINGS).fetchone() == before
