"""Output of the accounting: a table for people, JSON for programs."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.delivery.accounting import Entry, unaccounted
from snap_pipeline.delivery.held_events import Held
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.plurals import quantity
from snap_pipeline.reasons import WORDS, DeliveryState, NonAdditive

ADVICE: Mapping[str, str] = {
    NonAdditive.EXPIRING: "{events} pending will be too old for Snap within a day. See "
    "`snap-pipeline destination show`, then run `snap-pipeline materialize` over these hours.",
    DeliveryState.IN_DOUBT: "{events} in doubt: sent, and no answer came. Within 48 hours, the next run resends those "
    "events. After that, `snap-pipeline materialize --resend-in-doubt` does, and Snap may count them twice.",
    DeliveryState.REJECTED: "{events} rejected by Snap. After fixing the reason, send them again with "
    "`snap-pipeline materialize --retry-rejected`.",
}
"""The advice for each entry that needs it."""
UNDELIVERED = (DeliveryState.PENDING, DeliveryState.IN_DOUBT)
STATES_WITH_REASONS = (DeliveryState.REJECTED, DeliveryState.UNDELIVERABLE)
STATE_WORDS = {str(each): each.words for each in (*DeliveryState, *NonAdditive)}
MAX_NAMED = 3
"""The most hours or folders that a warning names; it counts the others."""


def as_json(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return one object per hour and workspace, with its destinations."""
    hours: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        hour = hours.setdefault((entry.hour, entry.workspace), _empty_hour(entry))
        if entry.destination is None:
            if entry.entry == "excluded":
                hour["excluded"][entry.reason] = entry.events
            else:
                hour[entry.entry] += entry.events
            continue
        destination = hour["destinations"].setdefault(entry.destination, _empty_destination())
        if entry.entry in STATES_WITH_REASONS:
            destination[entry.entry][entry.reason] = entry.events
        else:
            destination[entry.entry] = entry.events
    return [hours[key] for key in sorted(hours)]


def print_accounting(entries: Sequence[Entry], unread: Sequence[datetime] = ()) -> None:
    """Print sums over the entries' hours: received, excluded by reason, and delivery states by destination.

    Args:
        entries: of the accounting.
        unread: hours with unread files, which the sums do not include.
    """
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        sums[entry.destination or ""][_label(entry)] += entry.events
    before = sums.pop("", Counter())
    hours = len({entry.hour for entry in entries})
    table = Table(title=f"Accounting of {quantity(hours, 'hour')}", title_justify="left", show_header=False)
    for label in sorted(before, key=_sort_key):
        table.add_row("", label, f"{before[label]:,}", _words(label))
    for name, states in sorted(sums.items()):
        table.add_section()
        for label in sorted(states, key=_sort_key):
            table.add_row(name, label, f"{states[label]:,}", _words(label))
    print_table(table, width=120)
    gaps = unaccounted(entries)
    scope = "line of the files that were read" if unread else "landed line"
    click.echo("\n".join(gaps) if gaps else f"Every {scope} is accounted for.")


def print_shared_orders(purchases: int) -> None:
    """Say that Snap will report fewer purchases than were delivered, if several have the same order id."""
    if purchases:
        click.echo(
            f"{quantity(purchases, 'purchase')} of the newest 30 days with the order id of another one; Snap counts "
            "each order once in 30 days."
        )


def undelivered_hours(entries: Iterable[Entry]) -> list[datetime]:
    """Return the hours with events that a destination has not received, or may not have."""
    return sorted({parse_hour(entry.hour) for entry in entries if entry.entry in UNDELIVERED and entry.events})


def print_warnings(
    entries: Sequence[Entry],
    outdated: Mapping[datetime, Sequence[str]],
    outdated_consent: Mapping[datetime, Sequence[str]],
    pruned: Container[datetime],
) -> None:
    """Print warnings about entries and hours that need action, to standard error.

    Args:
        entries: the accounting.
        outdated: hours that were made by another recipe than today's, with the workspaces that this affects.
        outdated_consent: hours of which the conversions of these workspaces are held back.
        pruned: which of these cannot be made again.
    """
    sums: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        sums[entry.entry, entry.destination or ""] += entry.events
    for (entry_name, destination), events in sorted(sums.items()):
        if entry_name in ADVICE and events:
            click.echo(
                f"Warning: {destination}: " + ADVICE[entry_name].format(events=quantity(events, "event")), err=True
            )
    if outdated:
        workspaces = _shortened(sorted({name for names in outdated.values() for name in names}))
        hours = _shortened(map(format_hour, outdated))
        _warn_to_materialize(
            list(outdated),
            f"made with other code, mappings or settings than today's: {hours} (workspaces: {workspaces})",
            "make them again",
        )
    _print_held(entries, outdated_consent, pruned)


def _print_held(
    entries: Iterable[Entry], outdated_consent: Mapping[datetime, Sequence[str]], pruned: Container[datetime]
) -> None:
    """Print how many pending events wait until their hours are made again, or are never sent."""
    held: dict[tuple[str, Held], Counter[datetime]] = defaultdict(Counter)
    for entry in entries:
        if entry.entry not in UNDELIVERED:
            continue
        hour = parse_hour(entry.hour)
        if entry.workspace in outdated_consent.get(hour, ()):
            why = Held.FOR_GOOD if hour in pruned else Held.UNTIL_MADE_AGAIN
            held[entry.destination or "", why][hour] += entry.events
    for (destination, why), events in held.items():
        click.echo(f"Warning: {destination}: {why.explain(events.total(), sorted(events))}", err=True)


def print_unread(unread: Sequence[datetime], running_hour: datetime, unknown_folders: Sequence[str]) -> None:
    """Print warnings about unread files and folders to standard error; the running hour's files are no problem."""
    late = [hour for hour in unread if hour != running_hour]
    if late:
        _warn_to_materialize(
            late, f"with landed files that were not read: {_shortened(map(format_hour, late))}", "read them"
        )
    if len(late) < len(unread):
        click.echo(f"The running hour, {format_hour(running_hour)}, has files that are read when it is over.")
    if unknown_folders:
        click.echo(
            "Warning: landing folders that belong to no configured workspace, or whose names are not hours, are not "
            f"read: {_shortened(unknown_folders)}. Rename them, or add the workspace to workspaces.toml.",
            err=True,
        )


def _warn_to_materialize(hours: Sequence[datetime], what: str, purpose: str) -> None:
    first, last = format_hour(hours[0]), format_hour(hours[-1])
    click.echo(
        f"Warning: {quantity(len(hours), 'hour')} {what}. "
        f"To {purpose}: snap-pipeline materialize --from {first} --to {last}",
        err=True,
    )


def _shortened(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - MAX_NAMED:,} more" if len(known) > MAX_NAMED else ""
    return ", ".join(known[:MAX_NAMED]) + more


def _label(entry: Entry) -> str:
    return f"{entry.entry}: {entry.reason}" if entry.reason else entry.entry


def _words(label: str) -> str:
    """Return the words of a label's reason, or of its state; empty for Snap's reasons, which are sentences already."""
    entry, _, reason = label.partition(": ")
    return WORDS.get(reason, "") if reason else STATE_WORDS.get(entry, "")


def _sort_key(label: str) -> tuple[int, str]:
    order = ("raw", "quarantined", "excluded", "payloads", *DeliveryState, *NonAdditive)
    return order.index(label.split(":", maxsplit=1)[0]), label


def _empty_hour(entry: Entry) -> dict[str, Any]:
    return {
        "hour": entry.hour,
        "workspace": entry.workspace,
        "raw": 0,
        "quarantined": 0,
        "excluded": {},
        "payloads": 0,
        "destinations": {},
    }


def _empty_destination() -> dict[str, Any]:
    return {state: {} if state in STATES_WITH_REASONS else 0 for state in (*DeliveryState, *NonAdditive)}
