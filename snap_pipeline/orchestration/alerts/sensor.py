"""The alert sensor: reads finished runs, and posts a line for each incident that begins or ends to a webhook.

All its state between ticks is in the sensor's cursor, which moves on after the webhook accepted a line; so a webhook
that is down gets the line at a later tick. A line may arrive twice in two cases: its answer was lost, or the sensor's
process died between the answer and the end of the tick.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import dagster as dg

from snap_pipeline.orchestration.alerts.incidents import RunOutcome, read_outcome
from snap_pipeline.orchestration.alerts.webhook import Webhook, WebhookDown
from snap_pipeline.settings import Settings

MAX_RUNS_A_TICK = 200
MAX_SECONDS_A_TICK = 15.0
"""Dagster ends a tick after a minute and then loses its cursor, so the rest waits for the next tick. The limit leaves
time for the last line's attempts (`webhook.py`)."""
LOOKBACK_SECONDS = timedelta(minutes=5).total_seconds()
"""Runs that end at nearly the same time may become visible in another order, so each tick looks back this far."""
MAX_LINE_LENGTH = 600
EMAIL = re.compile(r"[^\s@<>\"'(),;]+@[^\s@<>\"'(),;]+\.[A-Za-z]{2,}")


@dataclass
class AlertCursor:
    """The sensor's cursor.

    Attributes:
        since: end of the last run that was read, in seconds since 1970.
        start: time when the sensor was first switched on; it ignores runs that ended before.
        seen: runs of the last minutes that were read, with the end of each.
        open: open incidents by name: subject, severity, and the hours that have to succeed.
    """

    since: float
    start: float
    seen: dict[str, float] = field(default_factory=dict)
    open: dict[str, tuple[str, str, list[str]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> "AlertCursor":
        """Parse a stored cursor; without one, start now."""
        now = datetime.now(UTC).timestamp()
        return cls(**json.loads(text)) if text else cls(since=now, start=now)

    @property
    def text(self) -> str:
        """The cursor in its stored form."""
        return json.dumps(asdict(self))

    def unread_runs(self, instance: dg.DagsterInstance) -> Iterator[tuple[dg.DagsterRun, float]]:
        """Yield finished runs that were not read, each with the time of its end, in order of these times."""
        floor = max(self.start, self.since - LOOKBACK_SECONDS)
        records = instance.get_run_records(
            dg.RunsFilter(
                statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
                updated_after=datetime.fromtimestamp(floor, UTC),
            )
        )
        ended = [(record.end_time or record.update_timestamp.timestamp(), record.dagster_run) for record in records]
        for moment, run in sorted(ended, key=lambda each: each[0]):
            if moment >= floor and run.run_id not in self.seen:
                yield run, moment

    def note(self, run: dg.DagsterRun, moment: float) -> None:
        """Remember that a run was read."""
        self.since = max(self.since, moment)
        self.seen[run.run_id] = moment
        self.seen = {run_id: ended for run_id, ended in self.seen.items() if ended >= self.since - LOOKBACK_SECONDS}

    def apply(self, outcome: RunOutcome) -> Iterator[str]:
        """Yield the alert lines of a run. Asking for the next line confirms that the last one was accepted."""
        for incident in outcome.incidents.values():
            if incident.name not in self.open:
                subject = f"{incident.subject}{hour_suffix(incident.hours)}"
                yield format_line(f"{incident.severity} {subject}: {incident.message}")
            _, _, hours = self.open.get(incident.name, ("", "", []))
            self.open[incident.name] = (incident.subject, incident.severity, sorted({*hours, *incident.hours}))
        for name, (subject, severity, hours) in list(self.open.items()):
            left = outcome.open_hours(name, severity, hours)
            if left is None:
                yield format_line(f"OVER {subject}{hour_suffix(hours)}: it goes through again.")
                del self.open[name]
            else:
                self.open[name] = (subject, severity, left)

    def pending_alerts(self, instance: dg.DagsterInstance, web_url: str | None = None) -> Iterator[str]:
        """Yield the alert lines of all unread runs (see `apply`), until the time of the tick is up.

        Args:
            instance: that knows the runs.
            web_url: the address of Dagster's web server, for a link to the run behind each line.
        """
        end = monotonic() + MAX_SECONDS_A_TICK
        for _, (run, moment) in zip(range(MAX_RUNS_A_TICK), self.unread_runs(instance), strict=False):
            for text in self.apply(read_outcome(instance, run)):
                if monotonic() > end:
                    return
                yield f"{text} {web_url}/runs/{run.run_id}" if web_url else text
            self.note(run, moment)
            if monotonic() > end:
                return


def alert_sensor(settings: Settings) -> dg.SensorDefinition:
    """Build the sensor that posts a line for each failed run and check, and one when it succeeds again."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=30,
        description="Posts failed runs and asset checks to a webhook, once each, and once when they succeed again.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if settings.alert_webhook is None:
            return dg.SkipReason("SNAP_PIPELINE_ALERT_WEBHOOK is not set, so no alerts are sent.")
        webhook = Webhook(settings.alert_webhook.get_secret_value())
        cursor, sent, waiting = AlertCursor.parse(context.cursor), 0, ""
        try:
            for text in cursor.pending_alerts(context.instance, settings.web_url):
                webhook.send(text)
                sent += 1
        except WebhookDown as error:
            context.log.warning(f"An alert waits for the next tick: {error}.")
            waiting = f" The next one waits: {error}."
        context.update_cursor(cursor.text)
        return dg.SkipReason(f"Lines sent: {sent}.{waiting}")

    return alerts


def hour_suffix(hours: Sequence[str]) -> str:
    """Return the last of the hours as part of a line, or an empty text without hours."""
    return f", hour {max(hours)}" if hours else ""


def format_line(text: str) -> str:
    """Format text as one line for Slack, without anything that looks like an e-mail address."""
    plain = EMAIL.sub("…", " ".join(text.split()))
    if len(plain) > MAX_LINE_LENGTH:
        plain = plain[: MAX_LINE_LENGTH - 1] + "…"
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
