"""`forget`: a person's identifiers out of the lake, and out of the landing files."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.hours import format_hour


@click.command()
@click.option("--email", help="An e-mail address of the person.")
@click.option("--phone", help="A phone number, best with its country code.")
@click.option("--user-id", help="The id under which they log in.")
@click.option("--anonymous-id", help="The id of a browser or device.")
@click.option("--landing", is_flag=True, help="Rewrite the landing files that hold them; otherwise they are listed.")
def forget(*, landing: bool, **asked: str | None) -> None:
    """Forget a person: empty and exclude their events, in every hour and whenever more of them lands.

    Their other ids are found by the events that carry several. Safe to run again, and after it was interrupted. Run it
    while nothing else is materialized; what was already sent to Snap stays there.
    """
    given = {kind: value for kind, value in asked.items() if value}
    if not given:
        raise click.UsageError("Name the person: --email, --phone, --user-id or --anonymous-id.")
    pipeline = open_pipeline()
    forgetting = pipeline.forgetting
    digests = [digest for kind, value in given.items() for digest in forgetting.digests(kind, value)]
    done = forgetting.forget(digests, rewrite_landing=landing)
    span = f" ({format_hour(done.hours[0])} to {format_hour(done.hours[-1])})" if done.hours else ""
    click.echo(
        f"{len(done.hours)} hours were made again{span}; {done.events} events in them are excluded as forgotten."
    )
    for file in done.rewritten_files:
        click.echo(f"Rewritten: {file}")
    for file in done.landing_files:
        click.echo(f"Still holds the person: {file}")
    if done.landing_files:
        click.echo("Run it with --landing to rewrite these files. What is read of them is excluded in any case.")
    drafts = pipeline.delete_abandoned_drafts(everywhere=True)
    for draft in drafts:
        click.echo(f"May still hold the person: {draft}")
    if drafts:
        click.echo(
            "These are files that another process writes at the moment, or was killed over within the last hour. Run "
            "it again in an hour."
        )
