"""`prune`: deletes what is older than the retention."""

import click

from snap_pipeline.cli.options import open_pipeline


@click.command()
def prune() -> None:
    """Delete landing files, raw and filtered events that are older than SNAP_PIPELINE_RETENTION_DAYS.

    Payloads, receipts and counts of these hours stay. Nothing goes that an identity window or a late conversion may
    still need.
    """
    pipeline = open_pipeline()
    done = pipeline.prune()
    click.echo(
        f"{len(done.hours)} hours were pruned, with {done.landing_files} landing files; "
        f"what is older than {pipeline.retention.days} days goes."
    )
    if done.left:
        click.echo(
            f"Warning: {len(done.left)} older hours have unread files, or were not made to the end, and are "
            "left as they are. Materialize them first, or land their files in the running hour.",
            err=True,
        )
