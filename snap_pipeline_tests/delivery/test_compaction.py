"""Receipts that another run compacts while this one reads them: nothing fails and nothing is overlooked."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from snap_pipeline import files
from snap_pipeline.delivery import copies, dispatch, ledger
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project, ids, purchase

OTHER_PIXEL_ID = "99999999-2222-4333-8444-555555555555"


class Compaction:
    """The last step of another run's compaction, taken once, between the listing and the read."""

    def __init__(self, folder: Path) -> None:
        (self.whole,) = folder.glob("*.parquet")
        self.part = self.whole.rename(folder / "batch-delivered.parquet")

    def after(self, list_files: Any) -> Any:
        def listed(*arguments: Any) -> Any:
            found = list_files(*arguments)
            if self.part.exists() and self.part.name in str(found):
                self.part.rename(self.whole)
            return found

        return listed


def folder(project: Project, table: str) -> Path:
    id_ = project.pipeline.destinations.get("shop").id
    return project.pipeline.lake.storage.path("") / table / f"hour={HOUR:%Y-%m-%dT%H}" / f"destination={id_}"


def test_a_copy_in_another_hour_is_found_while_that_hour_folds(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.materialize()
    project.land(purchase("a"), purchase("b"), hour=HOUR + ONE_HOUR)
    compaction = Compaction(folder(project, "delivery_receipts"))
    monkeypatch.setattr(copies.Copies, "_files", compaction.after(copies.Copies._files))

    assert project.materialize(HOUR + ONE_HOUR).success

    assert not compaction.part.exists()
    assert {event["event_id"]: event["received"] for event in project.received()} == {"a": 1, "b": 1}


def test_the_hours_batches_are_summed_up_while_another_destination_folds(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    project.land(purchase("a"))
    project.materialize()
    project.pipeline.destinations.pause("shop")
    project.add_destination("other", pixel_id=OTHER_PIXEL_ID)
    compaction = Compaction(folder(project, "delivery_receipts"))
    monkeypatch.setattr(dispatch, "rows_of_all", compaction.after(ledger.rows_of_all))

    assert project.materialize().success

    assert not compaction.part.exists()
    assert ids(project.received(OTHER_PIXEL_ID)) == ids(project.received(PIXEL_ID)) == ["a"]
    assert len(project.rows("dispatched_batches")) == 2


def test_files_that_cannot_be_read_at_all_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(duckdb.IOException, match="No files found"):
        ledger.retry_during_compaction(lambda: duckdb.sql(f"from read_parquet('{tmp_path}/gone.parquet')"))


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("delivery_receipts", "ad240de53d5c42b3-0-delivered.tmp"),
        ("delivery_receipts", ".ad240de53d5c42b3.tmp"),
        ("delivery_requests", ".ad240de53d5c42b3.tmp"),
        ("delivery_intents", "ad240de53d5c42b3.tmp"),
    ],
    ids=["receipts", "compacted receipts", "compacted requests", "intents"],
)
def test_the_draft_of_a_run_of_an_earlier_version_that_was_killed_goes_with_the_next_prune(
    project: Project, monkeypatch: pytest.MonkeyPatch, table: str, name: str
) -> None:
    project.add_destination()
    draft = folder(project, table) / name
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"PAR1")
    project.land(purchase("e"))
    assert project.materialize().success
    assert project.counts()["delivered"] == 1
    monkeypatch.setattr(files, "ABANDONED_AFTER_SECONDS", -1)
    project.pipeline.prune()
    assert not draft.exists()
