"""Tables, warnings and progress on the terminal.

Texts of tables come from Snap, events and users, so they are never markup.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

Item = TypeVar("Item")
LABEL = TextColumn("{task.description}", markup=False)


def print_table(table: Table, *, width: int) -> None:
    """Print a table with its texts as they are: square brackets are not styles, and `:name:` is not an emoji."""
    Console(width=width, markup=False, emoji=False).print(table)


def warn(warnings: Iterable[str]) -> None:
    """Print warnings to standard error; the command goes on."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def tracked(items: Sequence[Item], label: str) -> Iterator[Item]:
    """Yield items under a progress bar; without one where standard output is no terminal."""
    with _progress(SpinnerColumn(), LABEL, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as progress:
        yield from progress.track(items, description=label)


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show for how long something has been going on; nothing where standard output is no terminal."""
    with _progress(SpinnerColumn(), LABEL, TimeElapsedColumn()) as progress:
        progress.add_task(label, total=None)
        yield


def _progress(*columns: ProgressColumn) -> Progress:
    """Build a display that disappears in the end. Lines that are printed meanwhile appear above it."""
    return Progress(
        *columns,
        console=Console(file=sys.stdout),  # this very stream, since `insights` swallows what dbt prints
        transient=True,
        disable=not sys.stdout.isatty(),
        redirect_stderr=sys.stderr.isatty(),
    )
