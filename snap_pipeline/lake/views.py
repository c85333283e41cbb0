"""Views on every table and mart of a lake, for SQL queries of users.

Views read objects by pattern, so that a query sees the hours that exist when it runs. Binding such a view opens every
object of its table, since versions may differ in columns; a year of hours takes more than a second. So a view covers
only its newest object, enough to list it, until a query names it.
"""

import re

import duckdb

from snap_pipeline.lake.storage import Storage


class LakeViews:
    """The views of one connection.

    Args:
        connection: the connection to create the views in.
        storage: the storage of the lake. Tables without an object have no view.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, storage: Storage) -> None:
        self._connection, self._storage = connection, storage
        self._shortened: set[str] = set()
        for table in storage.tables():
            self._show(table)
        self.names = tuple(sorted(self._shortened))
        """Names of all views, in alphabetical order."""

    def prepare(self, query: str) -> None:
        """Extend the views that a query names to all of their objects, wherever in its text the name occurs."""
        words = set(re.findall(r"\w+", query.lower()))
        for name in sorted(words & self._shortened):
            self._define(name, self._storage.scan_all(name))
            self._shortened.remove(name)  # only now: if an object was deleted meanwhile, the next call tries again

    def _show(self, table: str) -> None:
        damaged: set[str] = set()
        while newest := self._storage.newest(table, damaged):
            self._shortened.add(table)
            try:
                self._define(table, self._storage.scan_one(newest))
            except duckdb.IOException:
                if self._storage.exists(newest):
                    raise
                continue  # compacted into another object meanwhile
            except duckdb.Error:
                damaged.add(newest)  # reported by the query that names the view; other views still work
                continue
            return

    def _define(self, name: str, source: str) -> None:
        self._connection.execute(f'create or replace view "{name}" as from {source}')
