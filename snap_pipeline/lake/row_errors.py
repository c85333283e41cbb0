"""Errors that DuckDB raises over single rows of a set-based step, and the search for those rows."""

from collections.abc import Callable

import duckdb

DATA_ERRORS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.NotSupportedError)
"""Errors of DuckDB about a value that it cannot process; those about disks and memory are others."""

FEW_ROWS = 3
"""So few may all be at fault; where more fail to the last one, the step itself is taken to be."""


def rows_that_fail(rows: int, fails: Callable[[int, int], bool]) -> list[int]:
    """Return the positions of the rows with which a step fails, found by halving.

    Empty where it fails with every one of more than `FEW_ROWS` rows, since then it is not about rows.

    Args:
        rows: how many there are.
        fails: runs the step on the rows from a position up to, not including, another one, and tells if it fails.
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
