"""Errors that DuckDB raises because of single rows of a set-based step, and the search for those rows."""

from collections.abc import Callable

import duckdb

DATA_ERRORS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.NotSupportedError)
"""DuckDB's errors about a value that it cannot process, as opposed to those about disks and memory."""

FEW_ROWS = 3
"""Up to so many rows may all be at fault; if more fail without exception, the step itself is at fault."""


def rows_that_fail(rows: int, fails: Callable[[int, int], bool]) -> list[int]:
    """Return the positions of the rows on which a step fails, found by bisection.

    Empty if it fails on all of more than `FEW_ROWS` rows, since the cause is not single rows then.

    Args:
        rows: the number of rows.
        fails: runs the step on the rows from a position up to, not including, another one; True if it fails.
    """
    found: list[int] = []
    parts = [(0, rows)] if rows else []
    while parts:
        first, end = parts.pop()
        if fails(first, end):
            if end - first == 1:
                found.append(first)
            else:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
    return found if rows <= FEW_ROWS or len(found) < rows else []
