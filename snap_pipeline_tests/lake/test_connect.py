"""DuckDB is opened once and serves many, one after the other; nobody sees what another one made."""

from pathlib import Path

import duckdb
import pytest

from snap_pipeline.errors import LakeError
from snap_pipeline.lake.lake import Lake, cursor_of


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, memory_limit="200MB", threads=2)


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]


def test_what_one_connection_made_the_next_one_does_not_see(lake: Lake) -> None:
    with lake.connect() as connection:
        connection.execute("create table kept as select 1 as a; create temp table passing as select 1 as a")
        connection.execute("create view seen as from kept; set variable word = 'w'; set threads = 1")
        assert cursor_of(connection).execute("from seen").fetchall() == [(1,)]
    with lake.connect() as connection:
        assert tables(connection) == []
        assert connection.execute("select getvariable('word'), current_setting('threads')").fetchall() == [(None, 2)]


def test_connections_at_the_same_time_are_apart(lake: Lake) -> None:
    with lake.connect() as one, lake.connect() as other:
        one.execute("create table t as select 1 as a")
        assert tables(other) == []
        other.execute("create table t as select 2 as a")
        assert cursor_of(one).execute("from t").fetchall() == [(1,)]


def test_after_an_error_the_next_connection_starts_afresh(lake: Lake) -> None:
    with pytest.raises(LakeError), lake.connect() as connection:
        connection.execute("create table t as select 1 as a")
        connection.execute("from 'missing.parquet'")
    with lake.connect() as connection:
        assert tables(connection) == []


def test_one_after_the_other_share_an_instance(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with lake.connect():
        pass
    monkeypatch.setattr(lake, "_open", None)
    with lake.connect() as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]
