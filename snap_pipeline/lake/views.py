"""A view on every table and mart of a lake, for whoever asks it something in SQL.

Views read files by pattern, so that a query sees the hours that are there when it runs. Binding such a view opens
every file of its table, for hours may have been made with other columns; a year of hours takes more than a second.
A view therefore shows its newest file alone, enough to be listed, until a query names it.
"""

import re
from collections.abc import Container, Iterator
from pathlib import Path

import duckdb

from snap_pipeline.lake.lake import literal


class LakeViews:
    """The views of one connection.

    Args:
        connection: where the views are made.
        root: the lake's folder. Tables without a file have no view.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, root: Path) -> None:
        self.root = root
        self._connection = connection
        self._whole: dict[str, str] = {}
        for folder in sorted(_folders(root)):
            self._show(folder)
        self.names = tuple(self._whole)
        """Every view, in alphabetical order."""

    def prepare(self, query: str) -> None:
        """Makes the views whole that a query names, wherever in its text the name stands."""
        words = set(re.findall(r"\w+", query.lower()))
        for name in sorted(words & self._whole.keys()):
            self._define(name, self._whole[name])
            del self._whole[name]  # only now: where a file was gone in between, the next look makes it whole

    def _show(self, folder: Path) -> None:
        damaged: set[Path] = set()
        while newest := _newest_file(folder, damaged):
            is_mart = newest.parent == folder
            self._whole[folder.name] = str(newest) if is_mart else f"{folder}/hour=*/**/*.parquet"
            try:
                self._define(folder.name, str(newest))
            except duckdb.IOException:
                if newest.exists():
                    raise
                continue  # a run that ended has folded it into another one
            except duckdb.Error:
                damaged.add(newest)  # the query that names the view will say so; other views are not held up
                continue
            return

    def _define(self, name: str, pattern: str) -> None:
        self._connection.execute(
            f'create or replace view "{name}" as from read_parquet({literal(pattern)}, '
            "hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
        )


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from (folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _newest_file(folder: Path, besides: Container[Path]) -> Path | None:
    """A mart's only file, or one of a table's newest hour."""
    mart = folder / "data.parquet"
    if mart.exists():
        return None if mart in besides else mart
    hours = sorted(folder.glob("hour=*"), reverse=True)
    files = (file for hour in hours for file in sorted(hour.glob("**/*.parquet")))
    return next((file for file in files if file not in besides), None)
