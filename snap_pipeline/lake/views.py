"""A view on every table and mart of a lake, for whoever asks it something in SQL.

Views read objects by pattern, so that a query sees the hours that are there when it runs. Binding such a view opens
every object of its table, for hours may have been made with other columns; a year of hours takes more than a second.
A view therefore shows its newest object alone, enough to be listed, until a query names it.
"""

import re

import duckdb

from snap_pipeline.lake.storage import Storage


class LakeViews:
    """The views of one connection.

    Args:
        connection: where the views are made.
        storage: of the lake. Tables without an object have no view.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, storage: Storage) -> None:
        self._connection, self._storage = connection, storage
        self._shortened: set[str] = set()
        for table in storage.tables():
            self._show(table)
        self.names = tuple(sorted(self._shortened))
        """Every view, in alphabetical order."""

    def prepare(self, query: str) -> None:
        """Make the views whole that a query names, wherever in its text the name stands."""
        words = set(re.findall(r"\w+", query.lower()))
        for name in sorted(words & self._shortened):
            self._define(name, self._storage.scan_all(name))
            self._shortened.remove(name)  # only now: where an object was gone in between, the next try makes it whole

    def _show(self, table: str) -> None:
        damaged: set[str] = set()
        while newest := self._storage.newest(table, damaged):
            self._shortened.add(table)
            try:
                self._define(table, self._storage.scan_one(newest))
            except duckdb.IOException:
                if self._storage.exists(newest):
                    raise
                continue  # a run that ended has compacted it into another one
            except duckdb.Error:
                damaged.add(newest)  # the query that names the view will say so; other views are not held up
                continue
            return

    def _define(self, name: str, source: str) -> None:
        self._connection.execute(f'create or replace view "{name}" as from {source}')
