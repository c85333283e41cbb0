"""Damaged files of the lake: which file an error of DuckDB is about, and how it is made again.

A disk, a copy that was cut off or a restored backup can leave a partition that is no whole Parquet file. Files are
not read for this: only when DuckDB has failed is the file that it names read once more, whole and alone.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

from snap_pipeline.errors import LakeError

NAMED_FILE = re.compile(r"['\"]([^'\"]+\.parquet)['\"]")
NAMES_NO_FILE = "TProtocolException"
"""DuckDB's message about a footer whose length is right and whose content is not."""

MADE_FROM = {
    "raw_events": "raw_events",
    "quarantined_lines": "raw_events",
    "identity_links": "identity_links",
    "filtered_events": "filtered_events",
    "excluded_events": "filtered_events",
    "conversion_payloads": "conversion_payloads",
    "parameter_completeness": "parameter_completeness",
}
"""The asset that makes a table of an hour."""


class DamagedPartition(LakeError):
    """A file of the lake that is no whole Parquet file.

    Attributes:
        path: the file.
        table: whose partition it is, or the mart that it is.
        hour: the key of the partition's hour; none of a mart.
    """

    def __init__(self, root: Path, path: Path, reason: str) -> None:
        self.path = path
        self.table, *folders = path.relative_to(root).parent.parts
        self.hour = folders[0].removeprefix("hour=") if folders else None
        of_hour = f" of {self.hour}" if self.hour else ""
        super().__init__(f"{self.table}{of_hour} is damaged ({reason}): {path}. {self._remedy()}")

    def _remedy(self) -> str:
        if self.hour is None:
            return "Delete the file and run `snap-pipeline insights`, which makes it again."
        if self.table in MADE_FROM:
            return (
                f"Delete the file and materialize the hour from {MADE_FROM[self.table]} on, as "
                f"`snap-pipeline materialize --from {self.hour} --to {self.hour}` does; or restore it from a backup "
                "where the hour's landing files are gone."
            )
        if self.table == "delivery_requests":
            return "Restore it from a backup, or delete it: nothing is sent because of it, the attempts are not shown."
        return (
            "Restore it from a backup. Without it nobody knows what was sent: delete it only if the events may go "
            "again, which Snap counts once within 48 hours of the first time and twice after that."
        )


def damaged_partition(root: Path, message: str) -> DamagedPartition | None:
    """Return the damaged file that a message of DuckDB is about; None where it is about none.

    Args:
        root: the lake's folder.
        message: of an error, DuckDB's own or one that quotes it, as dbt does.
    """
    for path in _candidates(root, message):
        try:
            with closing(duckdb.connect()) as connection:
                # Not in the text of the query: a path may hold a quote.
                connection.execute("select max(hash(file)) from read_parquet($path) as file", {"path": str(path)})
        except duckdb.Error as error:
            if path.exists():
                return DamagedPartition(root, path, _plain(error, path))
    return None


def _candidates(root: Path, message: str) -> Iterator[Path]:
    named = [Path(name) for name in NAMED_FILE.findall(message)]
    yield from (path for path in named if path.is_relative_to(root))
    if not named and NAMES_NO_FILE in message:
        yield from root.rglob("*.parquet")


def _plain(error: duckdb.Error, path: Path) -> str:
    text = str(error).splitlines()[0].replace(str(path), "…")
    return text.removeprefix("Invalid Input Error: ").replace("file '…'", "the file").replace('file "…": ', "it: ")
