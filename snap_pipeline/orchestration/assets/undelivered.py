"""Conversions that a run of `dispatched_batches` leaves undelivered: their hours, their number and the reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import dagster as dg

from snap_pipeline.delivery.dispatch import HourReport
from snap_pipeline.delivery.event_status import is_in_scope
from snap_pipeline.delivery.held_events import Held
from snap_pipeline.destinations.store import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.orchestration.assets.hourly_step import HOURS_AT_FAULT, failed_hours_message, safe_message
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import agreeing, quantity

HOUR_LABEL = "/hour"
"""Suffix of a metadata key after a destination's name: the first hour that the destination did not complete."""


class HourNotDispatched(PipelineError):
    """A failure on our side that ended the delivery of an hour to a destination; the cause has the reason."""

    def __init__(self, destination: Destination, hour: datetime, cause: Exception) -> None:
        super().__init__(f"{destination.name}: {safe_message(cause)}")
        self.destination, self.hour = destination, hour
        self.__cause__ = cause


def failure_reasons(errors: Iterable[HourNotDispatched]) -> dict[str, str]:
    """Return the reasons why hours were not delivered, by key."""
    reasons: dict[str, str] = {}
    for error in errors:
        key = format_hour(error.hour)
        reasons[key] = f"{reasons[key]} {error}" if key in reasons else str(error)
    return reasons


def count_skipped(
    pipeline: Pipeline,
    destinations: Iterable[Destination],
    hours: Iterable[datetime],
    reports: Sequence[HourReport],
    errors: Sequence[HourNotDispatched],
) -> tuple[list[HourReport], list[HourNotDispatched]]:
    """Count what is left of the hours that the run skipped, since a destination was stopped or another run sends them.

    Returns:
        the reports, with one more for each hour that a stopped destination did not reach; and the errors, with those
        of hours that could not be counted.
    """
    found = {(report.destination.id, report.hour): report for report in reports}
    stopped_at = {report.destination.id: format_hour(report.hour) for report in reports if report.stopped}
    errors = list(errors)
    failed = {(error.destination.id, error.hour) for error in errors}
    for hour, destination in product(hours, destinations):
        pair = destination.id, hour
        if pair in failed or not is_in_scope(destination, hour) or (pair in found and not found[pair].skipped):
            continue
        reason = f"The destination was stopped at {stopped_at.get(destination.id)}, so this hour was not attempted."
        try:
            entries = pipeline.accounting.entries([hour], [destination])
        except Exception as error:  # noqa: BLE001 - collected, and raised after the other hours
            errors.append(HourNotDispatched(destination, hour, error))
            continue
        counts = {(entry.entry, entry.reason): entry.events for entry in entries if entry.destination_id}
        found[pair] = replace(found.get(pair) or HourReport(destination, hour, skipped=reason), counts=counts)
    return list(found.values()), errors


def missing_hours(reports: Iterable[HourReport], failed: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the hours that are not complete, by key, with metadata that says why.

    Args:
        reports: of the run, by destination and hour.
        failed: hours that could not be made or delivered, by key, with the reason.
    """
    missing: dict[str, dict[str, Any]] = {key: {"failed": reason} for key, reason in failed.items()}
    for report in _incomplete(reports):
        left = f"{quantity(report.left, 'event')} {agreeing(report.left, 'is', 'are')} left."
        why = {f"{report.destination.name}/undelivered": f"{left} {_reason(report)}"}
        missing.setdefault(format_hour(report.hour), {}).update(why)
    return missing


def raise_if_incomplete(reports: Iterable[HourReport], failed: Mapping[str, str], *, retry: bool) -> None:
    """Fail the step if a destination is incomplete or an hour could not be made, and say what to do.

    Dagster retries the step if a retry may help, and not if every incomplete destination needs the user, such as for a
    new token.

    Args:
        reports: of the run, by destination and hour.
        failed: hours that could not be made or delivered, by key, with the reason.
        retry: a retry may help for the failed hours.

    Raises:
        Failure: events or hours are left for the next run.
    """
    incomplete: dict[str, list[HourReport]] = {}
    for report in _incomplete(reports):
        incomplete.setdefault(report.destination.name, []).append(report)
    if not incomplete and not failed:
        return
    texts = {name: _undelivered_message(each) for name, each in incomplete.items()}
    first_hours = {f"{name}{HOUR_LABEL}": format_hour(each[0].hour) for name, each in incomplete.items()}
    need_user = [each for each in incomplete.values() if _is_for_the_user(each)]
    message = [f"Not everything was delivered. {' '.join(f'{name}: {text}' for name, text in texts.items())}"]
    metadata: dict[str, Any] = {**texts, **first_hours}
    if failed:
        message = [failed_hours_message(failed), *(message if texts else [])]
        metadata[HOURS_AT_FAULT] = sorted(failed)
    raise dg.Failure(" ".join(message), metadata=metadata, allow_retries=retry or len(need_user) < len(texts))


def _incomplete(reports: Iterable[HourReport]) -> Iterator[HourReport]:
    return (report for report in reports if report.stopped or report.held or report.left)


def _is_for_the_user(incomplete: Sequence[HourReport]) -> bool:
    """Tell whether another try of the same step could complete none of a destination's hours."""
    stopped = any(report.stopped and report.stopped.is_for_the_user for report in incomplete)
    return stopped or all(report.held for report in incomplete)


def _reason(report: HourReport) -> str:
    """Return why events of an hour are left."""
    if report.held:
        return report.held.explain(report.due, [report.hour])
    return str(
        report.stopped
        or report.skipped
        or report.stats.last_error
        or "`snap-pipeline status` and `snap-pipeline trace` say why."
    )


def _undelivered_message(incomplete: Sequence[HourReport]) -> str:
    """Describe one destination's undelivered events: those that are held back, and the others."""
    messages = [
        held.explain(sum(each.due for each in reports), [each.hour for each in reports])
        for held in Held
        if (reports := [each for each in incomplete if each.held is held])
    ]
    others = [each for each in incomplete if not each.held]
    return " ".join([*messages, *([_not_taken_message(others)] if others else [])])


def _not_taken_message(incomplete: Sequence[HourReport]) -> str:
    """Describe the events that are left and not held back: how many, in which hours, and the reason."""
    first_key, last_key = (format_hour(report.hour) for report in (incomplete[0], incomplete[-1]))
    where = f"of {last_key}" if len(incomplete) == 1 else f"in {len(incomplete)} hours, {first_key} to {last_key},"
    events = sum(report.left for report in incomplete)
    left = f"{quantity(events, 'event')} {where} {agreeing(events, 'is', 'are')} left for the next run."
    stopped = [report.stopped for report in incomplete if report.stopped]
    if not stopped:
        return f"{left} {_reason(incomplete[-1])}"
    skipped = sum(bool(report.skipped) for report in incomplete)
    not_attempted = f" {skipped:,} of these hours {agreeing(skipped, 'was', 'were')} not attempted." if skipped else ""
    return f"{stopped[0]} {left}{not_attempted}"
