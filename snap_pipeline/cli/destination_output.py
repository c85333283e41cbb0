"""Output about destinations: the list, one destination in full, and JSON. Of a token, the last four characters."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import Badge, DestinationBacklog, health
from snap_pipeline.plurals import quantity


def print_destinations(destinations: Iterable[tuple[Destination, DestinationBacklog]]) -> None:
    """Print a table of destinations, and what to do about those that are not well."""
    table = Table("name", "workspace", "health", "since (UTC)", "last success")
    advice = []
    for each, backlog in destinations:
        found = health(each, backlog)
        table.add_row(
            each.name, each.workspace, found.badge, format_moment(found.since), format_moment(each.last_success_at)
        )
        if found.badge is not Badge.LIVE:
            advice.append(f"{each.name} is {found.badge}: {found.what_to_do}")
    print_table(table, width=80)
    for line in advice:
        click.echo(line)


def print_destination(found: Destination, backlog: DestinationBacklog) -> None:
    """Print one destination in full, a line for each field."""
    state = health(found, backlog)
    last_error = f"{format_moment(found.last_error_at)}: {found.last_error}" if found.last_error else "none"
    for label, value in (
        ("name", found.name),
        ("health", f"{state.badge}, since {format_moment(state.since)} UTC" if state.since else state.badge),
        ("what to do", state.what_to_do),
        ("last success", format_moment(found.last_success_at) or "none yet"),
        ("last error", last_error),
        ("last test", f"{format_moment(found.tested_at)}: {found.test_result}" if found.tested_at else "none"),
        ("next attempt", f"after {format_moment(found.retry_at)} UTC" if found.retry_at else "with the next run"),
        ("average latency", format_latency(backlog) or "no request yet"),
        ("pending", f"{quantity(backlog.pending, 'event')}, {backlog.in_doubt:,} in doubt"),
        ("id", found.id),
        ("workspace", found.workspace),
        ("pixel id", found.pixel_id),
        ("Snap App ID", found.snap_app_id or "none: app events are not sent"),
        ("iOS app id", found.ios_app_id or "none: that of the event, where it has one"),
        ("Android app id", found.android_app_id or "none: that of the event, where it has one"),
        ("API version", found.api_version),
        ("base URL", found.base_url),
        ("requests a minute", found.requests_per_minute),
        ("web age limit", web_age_limit(found)),
        ("offline age limit", f"{found.offline_age_days} days: offline events that are older are not sent"),
        ("receives since", found.since),
        ("token", f"…{found.token_last_four}, set {format_moment(found.token_set_at)} UTC"),
    ):
        click.echo(f"{label + ':':<20}{value}")


def as_json(found: Destination, backlog: DestinationBacklog) -> dict[str, Any]:
    """Return a destination with its health and backlog as one JSON object; moments are ISO texts in UTC."""
    state = health(found, backlog)
    values = {
        **asdict(found),
        "health": state.badge,
        "health_since": state.since,
        "what_to_do": state.what_to_do,
        **asdict(backlog),
    }
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def format_moment(when: datetime | None) -> str:
    """Format a moment to the minute, in UTC; None is an empty text."""
    return f"{when:%Y-%m-%d %H:%M}" if when else ""


def format_latency(backlog: DestinationBacklog) -> str:
    """Format the average latency; an empty text if nothing was sent."""
    return "" if backlog.latency_ms is None else f"{backlog.latency_ms:.0f} ms"


def web_age_limit(chosen: Destination) -> str:
    """Describe the age limit of web and app events."""
    if not chosen.dialect.has_web_age_limit:
        return f"none of its own in {chosen.api_version}: the offline limit holds for all events"
    return f"{chosen.web_age_days} days: web and app events that are older are not sent"
