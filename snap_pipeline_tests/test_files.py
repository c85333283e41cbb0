"""Atomic, durable writes: if the writer dies, a reader finds the old content or the new one, complete."""

import multiprocessing
import os
import signal
from pathlib import Path

import duckdb
import pytest

from snap_pipeline import files
from snap_pipeline.delivery.compaction import compact
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table
from snap_pipeline_tests.project import HOUR

OLD, NEW = "old" * 100_000, "new" * 100_000


def write_and_die(path: Path, moment: str) -> None:
    """Write a file in this process, which is killed during the write."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    flush = files.flush
    if moment == "before the rename":
        files.flush = die
    elif moment == "after the rename":
        files.flush = lambda flushed: die() if flushed == path.parent else flush(flushed)
    with files.atomic_write(path, files.new_draft(path.parents[1], path)) as draft:
        draft.write_text(NEW[: len(NEW) // 2] if moment == "half-written" else NEW)
        if moment == "half-written":
            die()


@pytest.mark.parametrize(
    ("moment", "content"), [("half-written", OLD), ("before the rename", OLD), ("after the rename", NEW)]
)
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path: Path, moment: str, content: str) -> None:
    path = tmp_path / "table" / "data"
    path.parent.mkdir()
    path.write_text(OLD)
    process = multiprocessing.get_context("fork").Process(target=write_and_die, args=(path, moment))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert path.read_text() == content
    left = list(files.drafts(tmp_path, everywhere=False))
    assert len(left) == (moment != "after the rename")
    assert files.delete_abandoned(left) == left, "it may still be written"


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text(OLD)
    with pytest.raises(RuntimeError), files.atomic_write(path, files.new_draft(tmp_path, path)) as draft:
        draft.write_text(NEW)
        raise RuntimeError
    assert path.read_text() == OLD
    assert not list(files.drafts(tmp_path, everywhere=True))


def test_a_file_that_is_there_is_kept_where_it_may_not_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "data"
    for content in (OLD, NEW):
        with files.atomic_write(path, files.private_draft(path), replace=False) as draft:
            draft.write_text(content)
    assert path.read_text() == OLD
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def test_compacted_receipts_are_durable_before_their_parts_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path, memory_limit="500MB", threads=1)
    ledger = Ledger(lake, HOUR, "shop", "default")
    folder = lake.storage.path(ledger.folder(Table.DELIVERY_RECEIPTS))
    receipt = (
        "select 'e' as event_id, 'PURCHASE' as event_name, now()::timestamp as event_time, 'default' as workspace, "
        "'b' as batch_id, 'delivered' as outcome, 200 as http_status, null::varchar as reason, "
        "now()::timestamp as sent_at, now()::timestamp as acknowledged_at"
    )
    done: list[str] = []
    flush, unlink = files.flush, Path.unlink

    def note_flush(path: Path) -> None:
        done.append("the folder is flushed" if path == folder else "a file is flushed")
        flush(path)

    def note_unlink(path: Path, **options: bool) -> None:
        if path.parent == folder and path.exists():
            done.append("a part is deleted")
        unlink(path, **options)

    with lake.connect() as connection:
        for name in ("b1", "b2"):
            lake.storage.commit(connection, f"{ledger.folder(Table.DELIVERY_RECEIPTS)}/{name}.parquet", receipt)
        monkeypatch.setattr(files, "flush", note_flush)
        monkeypatch.setattr(Path, "unlink", note_unlink)
        compact(lake.storage, connection, ledger)
    assert done == ["a file is flushed", "the folder is flushed", "a part is deleted", "a part is deleted"]
    assert duckdb.sql(f"select count(*) from read_parquet('{folder}/*.parquet')").fetchall() == [(1,)]


def test_a_folder_that_is_removed_while_a_file_is_written_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "destination=shop" / "receipt"
    draft = tmp_path / "draft"
    with files.atomic_write(path, draft):
        draft.write_text(NEW)
        path.parent.rmdir()
    assert path.read_text() == NEW
