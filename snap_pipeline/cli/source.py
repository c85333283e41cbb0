"""`snap-pipeline source`: manages the sources, which may post events to the collector."""

import click
from rich.table import Table

from snap_pipeline.cli.options import check_workspace, open_pipeline
from snap_pipeline.cli.terminal import print_table
from snap_pipeline.collector.sources import KINDS, Kind, SourceStore
from snap_pipeline.pipeline import Pipeline


@click.group()
def source() -> None:
    """Add, list, show, rotate-key and remove sources."""


@source.command()
@click.argument("name")
@click.option("--workspace", default="default", show_default=True, help="The workspace whose events it posts.")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    required=True,
    help="`web`: visitors' browsers have the key. `server`: only the site's own servers have it.",
)
def add(name: str, workspace: str, kind: Kind) -> None:
    """Add a source, and print its write key."""
    pipeline = open_pipeline()
    check_workspace(pipeline, workspace)
    added, key = open_store(pipeline).add(name, workspace, kind)
    click.echo(f"{added.name} is saved: a {kind} source of workspace {workspace}.")
    print_key(key)


@source.command(name="list")
def list_() -> None:
    """List the sources of all workspaces."""
    table = Table("name", "workspace", "kind", "write key", "key set (UTC)")
    for each in open_store(open_pipeline()).list():
        shown = f"…{each.key_last_four}"
        table.add_row(each.name, each.workspace, each.kind, shown, f"{each.key_set_at:%Y-%m-%d %H:%M}")
    print_table(table, width=80)


@source.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one source, the end of its write key, and where to post its events."""
    found = open_store(open_pipeline()).get(name)
    for label, value in (
        ("name", found.name),
        ("workspace", found.workspace),
        ("kind", found.kind),
        ("write key", f"…{found.key_last_four}, set {found.key_set_at:%Y-%m-%d %H:%M} UTC"),
        ("post to", "/v1/batch of the collector (`snap-pipeline collect`), the key as user name of Basic auth"),
    ):
        click.echo(f"{label + ':':<12}{value}")


@source.command(name="rotate-key")
@click.argument("name")
def rotate_key(name: str) -> None:
    """Replace a source's write key. Running collectors take the old one for up to 30 seconds."""
    print_key(open_store(open_pipeline()).rotate_key(name))


@source.command()
@click.argument("name")
@click.confirmation_option(prompt="What is posted with its key will be refused. Remove it?")
def remove(name: str) -> None:
    """Remove a source. Its landed events stay."""
    open_store(open_pipeline()).remove(name)
    click.echo(f"{name} is removed.")


def open_store(pipeline: Pipeline) -> SourceStore:
    """Open the store of sources."""
    return SourceStore(pipeline.database, tuple(pipeline.workspaces))


def print_key(key: str) -> None:
    """Print a write key, which is not stored."""
    click.echo(f"Write key, shown this once: {key}")
