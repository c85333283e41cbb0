"""How the accounting is shown: as a table for people, as JSON for programs."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.delivery.accounting import NON_ADDITIVE_ENTRIES, Entry, unaccounted
from snap_pipeline.delivery.held_events import Held
from snap_pipeline.hours import format_hour, parse_hour

STATES = ("delivered", "rejected", "undeliverable", "duplicate", "in_doubt", "pending")
ADVICE = {
    "expiring": "{events} pending events will be too old for Snap within a day. See `snap-pipeline destination show`, "
    "then run `snap-pipeline materialize` over these hours.",
    "in_doubt": "{events} events are in doubt: they were sent and no answer came. They go out again by themselves "
    "within 48 hours of that. After it, `snap-pipeline materialize --resend-in-doubt` sends them, and Snap may count "
    "twice what it had taken.",
    "rejected": "{events} events were rejected by Snap. Once the reason is mended, `snap-pipeline materialize "
    "--retry-rejected` sends them again.",
}
"""By entry, what to do about it."""
UNDELIVERED = ("pending", "in_doubt")
WITH_REASONS = ("rejected", "undeliverable")
SHOWN = 3
"""How many hours or folders a warning names; the rest is counted."""


def as_json(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """One object an hour and workspace, with its destinations."""
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
        if entry.entry in WITH_REASONS:
            destination[entry.entry][entry.reason] = entry.events
        else:
            destination[entry.entry] = entry.events
    return [hours[key] for key in sorted(hours)]


def print_accounting(entries: Sequence[Entry], unread: Sequence[datetime] = ()) -> None:
    """The sums over the entries' hours: what came in, what was left out and why, and where the rest stands.

    Where hours have files that were not read, it says of the others alone that nothing is unaccounted for.
    """
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        sums[entry.destination or ""][_label(entry)] += entry.events
    before = sums.pop("", Counter())
    hours = len({entry.hour for entry in entries})
    table = Table(title=f"Accounting of {hours} hours", title_justify="left", show_header=False)
    for label in sorted(before, key=_order):
        table.add_row("", label, f"{before[label]:,}")
    for name, states in sorted(sums.items()):
        table.add_section()
        for label in sorted(states, key=_order):
            table.add_row(name, label, f"{states[label]:,}")
    print_table(table, width=100)
    gaps = unaccounted(entries)
    balanced = "Of what was read, nothing is unaccounted for." if unread else "Nothing is unaccounted for."
    click.echo("\n".join(gaps) if gaps else balanced)


def print_shared_orders(purchases: int) -> None:
    """That Snap will report fewer purchases than were delivered, where several stand for one order."""
    if purchases:
        click.echo(
            f"{purchases:,} purchases of the newest 30 days share their order id with another one; Snap counts each "
            "order once in 30 days."
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
    """What the numbers ask somebody to do, on standard error.

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
            click.echo(f"Warning: {destination}: " + ADVICE[entry_name].format(events=f"{events:,}"), err=True)
    if outdated:
        workspaces = _some(sorted({name for names in outdated.values() for name in names}))
        hours = _some(map(format_hour, outdated))
        _ask_for(
            list(outdated),
            f"were made with other code, mappings or settings than today's: {hours} (workspaces: {workspaces})",
            "make them again",
        )
    _print_held(entries, outdated_consent, pruned)


def _print_held(
    entries: Iterable[Entry], outdated_consent: Mapping[datetime, Sequence[str]], pruned: Container[datetime]
) -> None:
    """How many pending events wait until their hours are made again, or are never sent."""
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
    """What landed and is in no number: a warning on standard error, but of the running hour, whose time will come."""
    late = [hour for hour in unread if hour != running_hour]
    if late:
        _ask_for(late, f"have landed files that were not read: {_some(map(format_hour, late))}", "read them")
    if len(late) < len(unread):
        click.echo(f"The running hour, {format_hour(running_hour)}, has files that are read when it is over.")
    if unknown_folders:
        click.echo(
            f"Warning: {len(unknown_folders):,} folders of the landing zone are of no configured workspace, or their "
            f"names are no hours, so that they are not read: {_some(unknown_folders)}. Rename them, or add the "
            "workspace to workspaces.toml.",
            err=True,
        )


def _ask_for(hours: Sequence[datetime], what: str, purpose: str) -> None:
    first, last = format_hour(hours[0]), format_hour(hours[-1])
    click.echo(
        f"Warning: {len(hours):,} hours {what}. To {purpose}: snap-pipeline materialize --from {first} --to {last}",
        err=True,
    )


def _some(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - SHOWN:,} more" if len(known) > SHOWN else ""
    return ", ".join(known[:SHOWN]) + more


def _label(entry: Entry) -> str:
    return f"{entry.entry}: {entry.reason}" if entry.reason else entry.entry


def _order(label: str) -> tuple[int, str]:
    order = ("raw", "quarantined", "excluded", "payloads", *STATES, *NON_ADDITIVE_ENTRIES)
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
    return {state: {} if state in WITH_REASONS else 0 for state in (*STATES, *NON_ADDITIVE_ENTRIES)}
