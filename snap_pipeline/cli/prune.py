"""`prune`: deletes files that are older than the retention."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.cli.terminal import working
from snap_pipeline.hours import format_hour
from snap_pipeline.plurals import quantity


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
def prune(*, dry_run: bool) -> None:
    """Delete landing files, raw and filtered events that are older than SNAP_PIPELINE_RETENTION_DAYS.

    Payloads, receipts and counts of these hours stay, and so does everything that an identity window or a late
    conversion may still need.
    """
    pipeline = open_pipeline()
    with working("Pruning"):
        done = pipeline.prune(dry_run=dry_run)
    first, last = (format_hour(done.hours[place]) for place in (0, -1)) if done.hours else ("", "")
    span = f" ({first} to {last})" if done.hours else ""
    click.echo(
        f"{quantity(len(done.hours), 'hour')} {'to prune' if dry_run else 'pruned'}{span}, with "
        f"{quantity(done.landing_files, 'landing file')}; events are kept for {pipeline.retention.days} days."
    )
    if done.left:
        click.echo(
            f"Warning: {quantity(len(done.left), 'older hour')} not pruned, because of unread files or missing tables. "
            "Materialize them first, or land their files in the running hour.",
            err=True,
        )
    if dry_run:
        click.echo("Nothing was deleted, because of --dry-run.")
