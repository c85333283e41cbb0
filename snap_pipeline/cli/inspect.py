"""`status`, `trace` and `preview`: the state of events, and the JSON that would be sent."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta

import click

from snap_pipeline.cli.accounting import (
    as_json,
    print_accounting,
    print_shared_orders,
    print_unread,
    print_warnings,
    undelivered_hours,
)
from snap_pipeline.cli.options import HOUR, LAST_HELP, PERIOD, check_range, choose_range, open_pipeline
from snap_pipeline.cli.terminal import warn
from snap_pipeline.delivery.request_bodies import RequestBodies
from snap_pipeline.delivery.trace import Trace
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import PipelineError, SettingsError
from snap_pipeline.hours import format_hour
from snap_pipeline.pipeline import Pipeline


@click.command()
@click.option("--from", "first", type=HOUR, help="The first hour; without it, the first partition.")
@click.option("--to", "last", type=HOUR, help="The last hour, included; without it, the running hour.")
@click.option("--last", "period", type=PERIOD, help=LAST_HELP)
@click.option("--json", "machine_readable", is_flag=True, help="Print JSON: one object per hour and workspace.")
def status(first: datetime | None, last: datetime | None, period: timedelta | None, *, machine_readable: bool) -> None:
    """Account for every landed line: raw, excluded, payloads, and the state at each destination."""
    pipeline = open_pipeline()
    first_hour, running_hour = pipeline.settings.first_hour, pipeline.settings.running_hour
    if first_hour > running_hour:
        raise SettingsError(
            f"There is no hour yet: the first one, {format_hour(first_hour)} (SNAP_PIPELINE_START), lies after the "
            f"running hour, {format_hour(running_hour)}."
        )
    first, last = choose_range(pipeline.settings, first, last, period)
    first, last = first or first_hour, last or running_hour
    check_range(first, last)
    hours = pipeline.accounting.hours(first, last)
    entries = pipeline.accounting.entries(hours, pipeline.destinations.list())
    if machine_readable:
        click.echo(json.dumps(as_json(entries), indent=2))
    else:
        unread = [hour for hour in pipeline.backlog.unread_hours(min(last, running_hour)) if hour >= first]
        print_accounting(entries, unread)
        print_shared_orders(pipeline.accounting.shared_orders(hours))
        undelivered = undelivered_hours(entries)
        print_warnings(
            entries,
            pipeline.outdated_hours.find(hours),
            pipeline.outdated_hours.find_outdated_consent(undelivered),
            [hour for hour in undelivered if pipeline.lake.is_pruned(hour)],
        )
        print_unread(unread, running_hour, pipeline.landing.unknown_folders())
        warn(pipeline.mappings.warnings())


@click.command()
@click.argument("event_or_order_id")
@click.option("--request", "with_requests", is_flag=True, help="Show the event's JSON and Snap's answer as well.")
@click.option("--json", "machine_readable", is_flag=True, help="Print JSON: one object per landed event.")
def trace(event_or_order_id: str, *, with_requests: bool, machine_readable: bool) -> None:
    """Follow an event from the file and line it landed in to its receipt, or show why it has none.

    The JSON is made from the payload as it is now: after its hour was made again, it may differ from what was sent.
    """
    pipeline = open_pipeline()
    settings = pipeline.settings
    hours = pipeline.accounting.hours(settings.first_hour, settings.running_hour)
    found = Trace(pipeline.lake, pipeline.mappings, pipeline.states(), pipeline.landing)
    events = list(found.events(event_or_order_id, hours, pipeline.destinations.list(), with_requests=with_requests))
    if not events:
        raise PipelineError(f"No event that was read has the id or order id {event_or_order_id!r}.")
    if machine_readable:
        click.echo(json.dumps([asdict(event) for event in events], indent=2, default=str))
    else:
        click.echo("\n".join(line for event in events for line in event.lines()))


@click.command()
@click.option("--hour", type=HOUR, help="What is pending of this hour, such as 2026-11-23T14.")
@click.option("--event", "event_id", metavar="ID", help="One event, whatever its state, instead of an hour's.")
@click.option("--destination", "name", help="Required if there are several destinations.")
@click.option("--limit", type=click.IntRange(1), default=5, show_default=True, help="How many events at most.")
def preview(hour: datetime | None, event_id: str | None, name: str | None, limit: int) -> None:
    """Show the exact JSON that would be sent, one event per line: of an hour, or of one event. Sends nothing."""
    if (hour is None) == (event_id is None):
        raise click.UsageError("Give either --hour HOUR or --event ID.")
    pipeline = open_pipeline()
    destination = _choose_destination(pipeline, name)
    if hour:
        _preview_hour(pipeline, destination, hour, limit)
    elif event_id:
        _preview_event(pipeline, destination, event_id, limit)


def _preview_hour(pipeline: Pipeline, destination: Destination, hour: datetime, limit: int) -> None:
    bodies = RequestBodies(pipeline.lake, pipeline.mappings, pipeline.states())
    pending = bodies.pending(destination, hour, limit)
    for body in pending.bodies:
        click.echo(body)
    if pending.held and pending.bodies:
        click.echo(f"Warning: {pending.held.explain(len(pending.bodies), [hour])}", err=True)
    if not pending.bodies:
        click.echo(f"No event of {format_hour(hour)} is pending for {destination.name}.", err=True)


def _preview_event(pipeline: Pipeline, destination: Destination, event_id: str, limit: int) -> None:
    bodies = RequestBodies(pipeline.lake, pipeline.mappings, pipeline.states())
    hours = pipeline.accounting.hours(pipeline.settings.first_hour, pipeline.settings.running_hour)
    found = bodies.of_event(destination, hours, event_id, limit)
    if not found:
        raise PipelineError(
            f"No conversion of workspace {destination.workspace} has the id {event_id!r}. "
            f"`snap-pipeline trace {event_id}` shows what became of it."
        )
    for each in found:
        click.echo(each.body)
        click.echo(f"{each.event_name} of {format_hour(each.hour)} at {destination.name}: {each.state}", err=True)


def _choose_destination(pipeline: Pipeline, name: str | None) -> Destination:
    if name:
        return pipeline.destinations.get(name)
    known = pipeline.destinations.list()
    if len(known) != 1:
        raise click.UsageError(
            "choose one with --destination: " + ", ".join(d.name for d in known)
            if known
            else "there is no destination yet: see `snap-pipeline destination add --help`."
        )
    return known[0]
