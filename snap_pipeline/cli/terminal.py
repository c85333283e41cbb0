"""Tables on the terminal. Their words come from Snap, events and users, so none of them is markup."""

from rich.console import Console
from rich.table import Table


def print_table(table: Table, *, width: int) -> None:
    """Print a table with its texts as they are: square brackets are no style, and `:name:` is no emoji."""
    Console(width=width, markup=False, emoji=False).print(table)
