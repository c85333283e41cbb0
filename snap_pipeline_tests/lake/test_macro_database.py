"""The database of SQL macros: made where it is missing, of another version, or damaged."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from snap_pipeline.lake import macros
from snap_pipeline.lake.lake import Lake


def open_lake(root: Path) -> Lake:
    return Lake(root, memory_limit="500MB", threads=1)


def email(lake: Lake) -> str:
    with lake.connect_with_macros() as connection:
        return str(connection.execute("select normalized_email(' Ann@Example.com ')").fetchall()[0][0])


def databases(root: Path) -> list[Path]:
    return [path for path in (root / macros.FOLDER).rglob("*") if path.is_file()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "it's a lake"


def test_one_database_stays_and_others_read_it(root: Path) -> None:
    assert email(open_lake(root)) == "ann@example.com"
    (database,) = databases(root)
    written = database.stat().st_mtime_ns
    assert email(open_lake(root)) == "ann@example.com"
    assert databases(root) == [database]
    assert database.stat().st_mtime_ns == written


def test_a_database_of_another_version_goes(root: Path) -> None:
    (root / macros.FOLDER).mkdir(parents=True)
    (root / macros.FOLDER / "0123456789abcdef.duckdb").write_bytes(b"of another version")
    assert email(open_lake(root)) == "ann@example.com"
    assert [path.stem for path in databases(root)] == [macros._version()]


@pytest.mark.parametrize("kept", [0, 100, 300_000])
def test_a_damaged_database_is_made_again(root: Path, kept: int) -> None:
    email(open_lake(root))
    (database,) = databases(root)
    database.write_bytes(database.read_bytes()[:kept])
    assert email(open_lake(root)) == "ann@example.com"
    assert database.stat().st_size > 300_000


def test_many_that_make_it_at_once_all_find_it(root: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(email, [open_lake(root) for _ in range(4)])) == {"ann@example.com"}
    assert len(databases(root)) == 1


def test_who_may_not_write_to_the_lake_has_the_macros_all_the_same(root: Path) -> None:
    root.mkdir()
    # In the folder's place, since nothing is forbidden to a root user.
    (root / macros.FOLDER).write_text("a file")
    assert email(open_lake(root)) == "ann@example.com"
