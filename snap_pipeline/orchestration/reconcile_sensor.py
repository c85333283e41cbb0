"""The reconcile sensor: requests runs of backlog hours, which the hourly schedule never requests again.

`delivery/backlog.py` finds the backlog; this module decides when and how often to request its hours. The sensor is off
until it is switched on in the UI or with `dg`.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from snap_pipeline.backoff import BETWEEN_RUNS
from snap_pipeline.delivery.backlog import BacklogItem, by_urgency, contiguous
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import explain_waiting
from snap_pipeline.hours import ONE_HOUR, format_hour, hours_between
from snap_pipeline.orchestration.assets.hourly_step import HOURS_A_RUN
from snap_pipeline.orchestration.dagster_internals import UnresolvedAssetJobDefinition
from snap_pipeline.orchestration.runs import hours_in_flight, run_request, wall_clock
from snap_pipeline.pipeline import Pipeline

NOTHING_DUE = "Every hour is read and delivered, or its run is in progress, or its next retry is not due yet."
COUNTED_AGAIN_AFTER = timedelta(minutes=10)
MAX_COUNTED_HOURS = 240
"""The most hours of which a tick counts the events: about ten seconds, of the 60 that Dagster gives a tick."""
MAX_RUNS_A_TICK = 20
"""The most runs that a tick requests, so that a backlog of years does not make it long."""
DIGITS = 8
"""Hexadecimal digits of a fingerprint in the cursor: a change of an hour is overlooked once in four billion."""


def reconcile_sensor(pipeline: Pipeline, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Request runs of the hours in the backlog.

    Where `SNAP_PIPELINE_RUNNING_HOUR_MINUTES` is set, the hour that is still filling is requested that often while
    files land in it; only events without a receipt are then sent.
    """

    waiting = WaitingDestinations(pipeline)

    @dg.sensor(
        name="reconcile",
        job=job,
        minimum_interval_seconds=60,
        description="Requests runs of hours with files that were not read, or conversions that were not delivered.",
    )
    def reconcile(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Request runs of hours with files that were not read, or conversions that were not delivered."""
        settings = pipeline.settings
        now, pause, running = wall_clock(), settings.running_hour_minutes, settings.running_hour
        cursor = ReconcileCursor(context.cursor)
        backlog = pipeline.backlog.find(running - ONE_HOUR if pause is None else running, now)
        cursor.retain({*backlog, running})
        in_flight = hours_in_flight(context.instance)
        due = {
            hour: item
            for hour, item in backlog.items()
            if hour not in in_flight and cursor.is_due(hour, item.fingerprint, now)
        }
        filling = due.pop(running, None)
        requests = []
        age_limits = pipeline.backlog.age_limits() if due else ()
        for place, (first, last) in enumerate(ranges_of(due, settings.now(), age_limits)[:MAX_RUNS_A_TICK]):
            hours = list(hours_between(first, last))
            why = "; ".join(sorted({due[hour].why for hour in hours}))
            requests.append(run_request(first, last, why, from_landing=due[first].from_landing, backlog=place > 0))
            for hour in hours:
                cursor.note(hour, due[hour].fingerprint, now)
        if filling and pause is not None and cursor.cooled_down(running, timedelta(minutes=pause), now):
            why = f"running hour: {filling.why}"
            requests.append(run_request(running, running, why, from_landing=filling.from_landing, backlog=False))
            cursor.note(running, filling.fingerprint, now)
        context.update_cursor(cursor.text)
        if not requests:
            return dg.SkipReason(waiting.explain(now) or NOTHING_DUE)
        return dg.SensorResult(run_requests=requests)

    return reconcile


def ranges_of(
    due: Mapping[datetime, BacklogItem], now: datetime, age_limits: Collection[int]
) -> list[tuple[datetime, datetime]]:
    """Return ranges of hours to run together, in order: first the newest hour, then those that expire soonest.

    Args:
        due: the hours to request.
        now: time of the data clock.
        age_limits: in days, of the live destinations.
    """
    if not due:
        return []
    newest = max(due)

    def others(*, from_landing: bool) -> Iterable[datetime]:
        return (hour for hour, item in due.items() if hour != newest and item.from_landing is from_landing)

    ranges = [each for whole in (True, False) for each in contiguous(others(from_landing=whole), HOURS_A_RUN)]
    return [(newest, newest), *by_urgency(ranges, now, age_limits)]


class WaitingDestinations:
    """Why events wait: the destinations that are paused or were stopped, with the numbers that `status` shows.

    Counting takes some seconds where many hours wait, so it is repeated only after ten minutes, or once the
    destination has changed.

    Args:
        pipeline: whose destinations.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._counted: dict[Destination, tuple[datetime, str | None]] = {}

    def explain(self, now: datetime) -> str:
        """Return a sentence or more for each destination for which events wait; empty if there is none.

        Args:
            now: the wall clock.
        """
        held = [each for each in self._pipeline.destinations.list() if each.state != "live" or each.stopped_at]
        self._counted = {
            each: counted
            for each in held
            if (counted := self._counted.get(each)) is not None and now - counted[0] < COUNTED_AGAIN_AFTER
        }
        for each in held:
            if each not in self._counted:
                backlog = self._pipeline.destination_backlog(each, newest_hours=MAX_COUNTED_HOURS)
                self._counted[each] = now, explain_waiting(each, backlog, up_to_hours=MAX_COUNTED_HOURS)
        return " ".join(text for each in held if (text := self._counted[each][1]))


class ReconcileCursor:
    """The sensor's cursor: the requested hours with the time of their last request, for the back-off.

    Each hour has the begin of the fingerprint, the time in seconds since 1970 and the number of requests. The cursor is
    short, since Dagster stores it with each tick.

    Args:
        text: the sensor's cursor; None at its first tick.
    """

    def __init__(self, text: str | None) -> None:
        stored: dict[str, Any] = json.loads(text) if text else {}
        # Earlier versions stored objects; their hours are requested once more.
        self._hours: dict[str, tuple[str, int, int]] = {
            key: (value[0], value[1], value[2]) for key, value in stored.items() if isinstance(value, list)
        }

    @property
    def text(self) -> str:
        """The cursor in its stored form."""
        return json.dumps(self._hours, separators=(",", ":"))

    def is_due(self, hour: datetime, fingerprint: str, now: datetime) -> bool:
        """Tell whether to request an hour: a new fingerprint at once, a known one after 5, 10, 20, 40 or 60 minutes."""
        digest, at, times = self._hours.get(format_hour(hour), ("", 0, 0))
        return digest != fingerprint[:DIGITS] or now.timestamp() - at >= BETWEEN_RUNS.delay(times).total_seconds()

    def cooled_down(self, hour: datetime, pause: timedelta, now: datetime) -> bool:
        """Tell whether an hour was last requested at least `pause` ago, or never."""
        _, at, _ = self._hours.get(format_hour(hour), ("", 0, 0))
        return now.timestamp() - at >= pause.total_seconds()

    def note(self, hour: datetime, fingerprint: str, now: datetime) -> None:
        """Remember that an hour was requested."""
        digest, _, times = self._hours.get(format_hour(hour), ("", 0, 0))
        same = fingerprint[:DIGITS]
        self._hours[format_hour(hour)] = (same, int(now.timestamp()), times + 1 if digest == same else 1)

    def retain(self, hours: Iterable[datetime]) -> None:
        """Keep only these hours; the others have left the backlog."""
        keep = {format_hour(hour) for hour in hours}
        self._hours = {key: value for key, value in self._hours.items() if key in keep}
