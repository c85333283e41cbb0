"""Tables on the terminal. Their texts come from Snap, events and users, so they are never markup."""

from rich.console import Console
from rich.table import Table


def print_table(table: Table, *, width: int) -> None:
    """Print a table with its texts as they are: square brackets are not styles, and `:name:` is not an emoji."""
    Console(width=width, markup=False, emoji=False).print(table)
