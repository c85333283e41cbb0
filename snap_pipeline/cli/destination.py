"""`snap-pipeline destination`: manages destinations and their credentials.

The access token comes from SNAP_ACCESS_TOKEN, standard input or a masked prompt, never from an argument, which other
users of the machine could read.
"""

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import Category, with_destination
from snap_pipeline.capi.api_version import DEFAULT_VERSION, DIALECTS
from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS, REQUESTS_PER_MINUTE, WEB_AGE_DAYS
from snap_pipeline.cli.destination_output import as_json, print_destination, print_destinations
from snap_pipeline.cli.event_trial import UnusableEvent, try_event
from snap_pipeline.cli.options import HOUR, check_workspace, open_pipeline
from snap_pipeline.cli.terminal import warn
from snap_pipeline.destinations.store import Destination
from snap_pipeline.hours import format_hour
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.reasons import DeliveryState

IOS_APP_HELP = "The app's number in the App Store, for iOS events that do not give it; v2 requires one."
ANDROID_APP_HELP = "The app's package name in Google Play, for Android events that do not give it; v2 requires one."
WEB_AGE_HELP = "Web and app events that are older are not sent (v3)."
OFFLINE_AGE_HELP = "Offline events that are older are not sent; in v2, all events."
TEST_EVENT_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@click.group()
def destination() -> None:
    """Add, list, show, set, test, pause, resume, rotate-token and remove destinations."""


@destination.command()
@click.option("--name", required=True, help="A name of your choice.")
@click.option("--workspace", default="default", show_default=True, help="The workspace whose events it receives.")
@click.option("--pixel-id", required=True, help="UUID, from Events Manager.")
@click.option("--snap-app-id", help="UUID, for app events; without it they are not sent.")
@click.option("--ios-app-id", help=IOS_APP_HELP)
@click.option("--android-app-id", help=ANDROID_APP_HELP)
@click.option("--api-version", type=click.Choice(list(DIALECTS)), default=DEFAULT_VERSION, show_default=True)
@click.option("--base-url", default="https://tr.snapchat.com", show_default=True)
@click.option("--requests-per-minute", type=int, default=REQUESTS_PER_MINUTE, show_default=True)
@click.option("--web-age-days", type=int, default=WEB_AGE_DAYS, show_default=True, help=WEB_AGE_HELP)
@click.option("--offline-age-days", type=int, default=OFFLINE_AGE_DAYS, show_default=True, help=OFFLINE_AGE_HELP)
@click.option("--since", type=HOUR, help="The first hour that it receives; default: the running hour.")
@click.option("--live", is_flag=True, help="Send from now on; without it the destination is paused until `resume`.")
@click.option("--no-test", is_flag=True, help="Do not send a test event.")
def add(*, since: datetime | None, live: bool, no_test: bool, **fields: Any) -> None:
    """Add a destination, then send it a test event."""
    pipeline = open_pipeline()
    check_workspace(pipeline, fields["workspace"])
    hour = first_hour_in_scope(pipeline, since)
    added, warnings = pipeline.destinations.add(
        **fields, since=format_hour(hour), live=live, token=read_token(f"Access token of {fields['name']}")
    )
    warn(warnings)
    click.echo(f"{added.name} is saved, {'live' if live else 'paused until `snap-pipeline destination resume`'}.")
    print_clamped_hour(since, hour)
    click.echo(
        f"It receives the hours from {added.since} on. Earlier hours may have been reported by a browser pixel, and "
        f"Snap would count them twice; to send them: `snap-pipeline destination set {added.name} --since HOUR`."
    )
    if not no_test:
        run_test(pipeline, added)


@destination.command(name="list")
@click.option("--json", "machine_readable", is_flag=True, help="Print JSON: one object per destination, as of `show`.")
def list_(*, machine_readable: bool) -> None:
    """List the destinations of all workspaces."""
    pipeline = open_pipeline()
    destinations = [(each, pipeline.destination_backlog(each)) for each in pipeline.destinations.list()]
    if machine_readable:
        click.echo(json.dumps([as_json(*each) for each in destinations], indent=2))
        return
    print_destinations(destinations)


@destination.command()
@click.argument("name")
@click.option("--json", "machine_readable", is_flag=True, help="Print one JSON object.")
def show(name: str, *, machine_readable: bool) -> None:
    """Show one destination. Of the token, only the last four characters."""
    pipeline = open_pipeline()
    found = pipeline.destinations.get(name)
    backlog = pipeline.destination_backlog(found)
    if machine_readable:
        click.echo(json.dumps(as_json(found, backlog), indent=2))
        return
    print_destination(found, backlog)


@destination.command(name="set")
@click.argument("name")
@click.option("--api-version", type=click.Choice(list(DIALECTS)))
@click.option("--since", type=HOUR, help="The first hour that it receives; an earlier one sends history.")
@click.option("--snap-app-id", help="UUID, for app events.")
@click.option("--ios-app-id", help=IOS_APP_HELP)
@click.option("--android-app-id", help=ANDROID_APP_HELP)
@click.option("--base-url")
@click.option("--requests-per-minute", type=int)
@click.option("--web-age-days", type=int, help=WEB_AGE_HELP)
@click.option("--offline-age-days", type=int, help=OFFLINE_AGE_HELP)
def set_(name: str, since: datetime | None, **fields: Any) -> None:
    """Change a destination. Its receipts stay, so nothing is sent again."""
    pipeline = open_pipeline()
    changes = {key: value for key, value in fields.items() if value is not None}
    hour = first_hour_in_scope(pipeline, since) if since else None
    if hour:
        changes["since"] = format_hour(hour)
    if not changes:
        raise click.UsageError("Nothing to change: give at least one option; see --help.")
    pipeline.destinations.set(name, **changes)
    click.echo(f"{name} is changed.")
    if hour:
        print_clamped_hour(since, hour)
        ahead = (
            " That hour is still to come: nothing is sent until then." if hour > pipeline.settings.running_hour else ""
        )
        click.echo(f"It receives the hours from {format_hour(hour)} on, and no earlier ones.{ahead}")


@destination.command()
@click.argument("name")
@click.option("--test-event-code", help="A code from Events Manager's test view, to see the event there (v3).")
@click.option(
    "--event",
    "event_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Map, hash, validate and show the one event in this file, instead of the PAGE_VIEW.",
)
def test(name: str, test_event_code: str | None, event_file: Path | None) -> None:
    """Have Snap validate a PAGE_VIEW, or an event of yours. Nothing is counted."""
    pipeline = open_pipeline()
    chosen = pipeline.destinations.get(name)
    if event_file:
        if test_event_code is not None:
            raise click.UsageError("Give either --event or --test-event-code.")
        validate_event(pipeline, chosen, event_file)
        return
    if test_event_code is not None and not chosen.dialect.has_test_event_codes:
        raise click.UsageError(
            f"{name} uses {chosen.api_version}, which has no test event codes; see `destination set --api-version`."
        )
    if test_event_code is not None and not TEST_EVENT_CODE.fullmatch(test_event_code):
        raise click.BadParameter("copy the code from Events Manager: letters, digits, dashes and underscores.")
    run_test(pipeline, chosen, test_event_code)


@destination.command()
@click.argument("name")
def pause(name: str) -> None:
    """Send nothing until `resume`; pending events are kept."""
    open_pipeline().destinations.pause(name)
    click.echo(f"{name} is paused.")


@destination.command()
@click.argument("name")
def resume(name: str) -> None:
    """Make a destination live."""
    open_pipeline().destinations.resume(name)
    click.echo(f"{name} is live.")


@destination.command(name="rotate-token")
@click.argument("name")
def rotate_token(name: str) -> None:
    """Replace the access token, then send a test event."""
    pipeline = open_pipeline()
    warn(pipeline.destinations.rotate_token(name, read_token(f"New access token of {name}")))
    click.echo(f"The access token of {name} is replaced.")
    run_test(pipeline, pipeline.destinations.get(name))


@destination.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, *, yes: bool) -> None:
    """Remove a destination. Its receipts stay: if added again, it gets nothing twice."""
    pipeline = open_pipeline()
    pipeline.destinations.get(name)
    if not yes:
        click.confirm(
            f"Remove {name} and its access token? It will get no more events (--yes does not ask)", abort=True
        )
    pipeline.destinations.remove(name)
    click.echo(f"{name} is removed; its history is kept.")


def first_hour_in_scope(pipeline: Pipeline, since: datetime | None) -> datetime:
    """Return `since`, but at the earliest the first partition; without it, the running hour."""
    return max(since, pipeline.settings.first_hour) if since else pipeline.settings.running_hour


def print_clamped_hour(requested: datetime | None, hour: datetime) -> None:
    """Say that hours before the first partition were requested, which do not exist."""
    if requested and requested < hour:
        click.echo(
            f"{format_hour(requested)} lies before the first hour, {format_hour(hour)} (SNAP_PIPELINE_START), which is "
            "used instead."
        )


def read_token(prompt: str) -> AccessToken:
    """Read the token from SNAP_ACCESS_TOKEN, standard input or a masked prompt."""
    from_environment = os.environ.get("SNAP_ACCESS_TOKEN")
    if from_environment is not None:
        return AccessToken(from_environment)
    if not sys.stdin.isatty():
        return AccessToken(sys.stdin.read().rstrip("\n"))
    return AccessToken(click.prompt(prompt, hide_input=True))


def validate_event(pipeline: Pipeline, chosen: Destination, file: Path) -> None:
    """Show the event in a file as it would be sent, and Snap's answer; exit with status 1 if Snap would not take it."""
    trial = try_event(pipeline, chosen, file)
    click.echo(trial.body)
    if trial.status != DeliveryState.PENDING:
        raise UnusableEvent(f"The event in {file} would not be sent to {chosen.name}: {trial.status}.")
    session = pipeline.session(chosen)
    session.permit()
    answer = session.send(trial.asset_id, [trial.body.encode()], validate=True)
    if answer.category is not Category.ACCEPTED:
        raise UnusableEvent(f"Snap refuses the event: {with_destination(answer.explanation, chosen.name)}")
    click.echo("Snap would accept this event. Nothing was counted.")


def run_test(pipeline: Pipeline, chosen: Destination, test_event_code: str | None = None) -> None:
    """Run the connection test and print its result; exit with status 1 if it failed."""
    result = pipeline.test_connection(chosen, test_event_code)
    if result.passed:
        click.echo(result.message)
        if test_event_code is not None:
            click.echo("Events Manager shows the event in its test view, under that code.")
        return
    click.echo(f"Error: the connection test of {chosen.name} failed: {result.message}", err=True)
    sys.exit(1)
