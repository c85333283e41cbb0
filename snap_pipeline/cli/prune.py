"""`prune`: deletes files that are older than the retention."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.cli.terminal import working


@click.command()
def prune() -> None:
    """Delete landing files, raw and filtered events that are older than SNAP_PIPELINE_RETENTION_DAYS.

    Payloads, receipts and counts of these hours stay, and so does everything that an identity window or a late
    conversion may still need.
    """
    pipeline = open_pipeline()
    with working("Pruning"):
        done = pipeline.prune()
    click.echo(
        f"{len(done.hours)} hours were pruned, with {done.landing_files} landing files; "
        f"events are kept for {pipeline.retention.days} days."
    )
    if done.left:
        click.echo(
            f"Warning: {len(done.left)} older hours have unread files or missing tables, so they were not "
            "pruned. Materialize them first, or land their files in the running hour.",
            err=True,
        )
