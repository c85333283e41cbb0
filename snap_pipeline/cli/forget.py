"""`forget`: removes a person's identifiers from the lake and from the landing files."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.cli.terminal import working
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.forget import Erasure
from snap_pipeline.plurals import quantity


@click.command()
@click.option("--email", help="An e-mail address of the person.")
@click.option("--phone", help="A phone number, best with its country code.")
@click.option("--user-id", help="The id of their account.")
@click.option("--anonymous-id", help="The id of a browser or device.")
@click.option("--landing", is_flag=True, help="Rewrite the landing files that hold the person; otherwise list them.")
@click.option("--dry-run", is_flag=True, help="Say which hours and files would change, and change nothing.")
def forget(*, landing: bool, dry_run: bool, **options: str | None) -> None:
    """Forget a person: empty and exclude their events, in every hour and whenever more of them land.

    Other ids of the person are found through events that carry several ids. Safe to run again, also after an
    interruption. Run it while no other command materializes; events already sent to Snap stay there.
    """
    given = {kind: value for kind, value in options.items() if value}
    if not given:
        raise click.UsageError("Name the person: --email, --phone, --user-id or --anonymous-id.")
    pipeline = open_pipeline()
    forgetting = pipeline.forgetting
    digests = [digest for kind, value in given.items() for digest in forgetting.digests(kind, value)]
    if dry_run:
        _print_preview(forgetting.preview(digests))
        return
    with working("Forgetting"):
        done = forgetting.forget(digests, rewrite_landing=landing)
    span = f" ({format_hour(done.hours[0])} to {format_hour(done.hours[-1])})" if done.hours else ""
    click.echo(
        f"{quantity(len(done.hours), 'hour')} made again{span}; {quantity(done.events, 'event')} excluded in them as "
        "forgotten."
    )
    for file in done.rewritten_files:
        click.echo(f"Rewritten: {file}")
    for file in done.landing_files:
        click.echo(f"Still holds the person: {file}")
    if done.landing_files and landing:
        click.echo(
            "These files cannot be rewritten, since their events are not one a line in UTF-8, or they are damaged. "
            "Remove the events by hand or delete the files. Events from them are excluded in any case."
        )
    elif done.landing_files:
        click.echo("Run it with --landing to rewrite these files. Events from them are excluded in any case.")
    drafts = pipeline.delete_abandoned_drafts(everywhere=True)
    for draft in drafts:
        click.echo(f"May still hold the person: {draft}")
    if drafts:
        click.echo(
            "Another process is writing these files, or was killed while it did within the last hour. Run this again "
            "in an hour."
        )


def _print_preview(found: Erasure) -> None:
    """Print what would change."""
    hours = ": " + ", ".join(map(format_hour, found.hours)) if found.hours else ""
    click.echo(f"{quantity(len(found.hours), 'hour')} to make again{hours}.")
    for file in found.landing_files:
        click.echo(f"Holds the person: {file}")
    click.echo("Nothing was changed, because of --dry-run.")
