"""`status`, `trace` and `preview`: the state of events, and the JSON that would be sent."""

import json
from datetime import datetime

import click

from snap_pipeline.cli.accounting import (
    as_json,
    print_accounting,
    print_shared_orders,
    print_unread,
    print_warnings,
    undelivered_hours,
)
from snap_pipeline.cli.options import HOUR, check_range, open_pipeline
from snap_pipeline.delivery.held_events import held_events
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.delivery.trace import Trace
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import PipelineError, SettingsError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.pipeline import Pipeline


@click.command()
@click.option("--from", "first", type=HOUR, help="The first hour; without it, the first partition.")
@click.option("--to", "last", type=HOUR, help="The last hour, included; without it, the running hour.")
@click.option("--json", "machine_readable", is_flag=True, help="Print JSON: one object per hour and workspace.")
def status(first: datetime | None, last: datetime | None, *, machine_readable: bool) -> None:
    """Account for every landed line: raw, excluded, payloads, and the state at each destination."""
    pipeline = open_pipeline()
    first_hour, running_hour = pipeline.settings.first_hour, pipeline.settings.running_hour
    if first_hour > running_hour:
        raise SettingsError(
            f"There is no hour yet: the first one, {format_hour(first_hour)} (SNAP_PIPELINE_START), lies after the "
            f"running hour, {format_hour(running_hour)}."
        )
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


@click.command()
@click.argument("event_or_order_id")
def trace(event_or_order_id: str) -> None:
    """Follow an event from the file and line it landed in to its receipt, or show why it has none."""
    pipeline = open_pipeline()
    settings = pipeline.settings
    hours = pipeline.accounting.hours(settings.first_hour, settings.running_hour)
    found = Trace(pipeline.lake, pipeline.mappings, pipeline.states(), pipeline.landing)
    lines = list(found.lines(event_or_order_id, hours, pipeline.destinations.list()))
    if not lines:
        raise PipelineError(f"No event that was read has the id or order id {event_or_order_id!r}.")
    click.echo("\n".join(lines))


@click.command()
@click.option("--hour", type=HOUR, required=True, help="The hour, such as 2026-11-23T14.")
@click.option("--destination", "name", help="Required if there are several destinations.")
@click.option("--limit", type=click.IntRange(1), default=5, show_default=True, help="How many events at most.")
def preview(hour: datetime, name: str | None, limit: int) -> None:
    """Show the exact JSON that would be sent for an hour, one event per line. Sends nothing."""
    pipeline = open_pipeline()
    destination = _choose_destination(pipeline, name)
    ledger = Ledger(pipeline.lake, hour, destination.id, destination.workspace)
    with pipeline.lake.connect() as connection:
        pipeline.mappings.load_standards(connection)
        if not pipeline.states().prepare(connection, ledger, destination, hour):
            raise PipelineError(f"{format_hour(hour)} has no payloads yet: run `snap-pipeline materialize` first.")
        connection.execute(
            """
            create table due as
            select file_row_number, row_number() over (order by event_time, event_id, event_name) as position
            from payload_states
            where state = 'pending' and is_deliverable
            qualify position <= ?
            """,
            [limit],
        )
        dialect = destination.dialect
        rows = connection.execute(
            f"from ({dialect.projection}) order by position", destination.projection_parameters
        ).fetchall()
        payloads = partition(Table.CONVERSION_PAYLOADS, hour)
        held = held_events(pipeline.lake, pipeline.mappings, connection, destination, hour, payloads)
    for *_, body in rows:
        click.echo(body)
    if held and rows:
        click.echo(f"Warning: {held.explain(len(rows), [hour])}", err=True)
    if not rows:
        click.echo(f"No event of {format_hour(hour)} is pending for {destination.name}.", err=True)


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
