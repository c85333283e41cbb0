"""Alerts that arrive once, and say when it is over: a sensor that reads finished runs and posts to a webhook.

Everything between ticks lies in the sensor's cursor. It moves on after a line was taken, so that a webhook which is
down gets the line at a later tick. A line may come twice in two cases: the answer to it was lost, or the sensor's
process died between the answer and the end of the tick.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import dagster as dg

from snap_pipeline.orchestration.alerts.incidents import RunOutcome, outcome_of
from snap_pipeline.orchestration.alerts.webhook import Webhook, WebhookDown
from snap_pipeline.settings import Settings

RUNS_A_TICK = 200
SECONDS_A_TICK = 15.0
"""Dagster ends a tick after a minute and then forgets whom it told, so what is left waits for the next one. The last
line may take its time (`webhook.py`)."""
LOOK_BACK = timedelta(minutes=5).total_seconds()
"""Runs that end at the same time may be seen in another order than they ended in."""
LONGEST_LINE = 600
EMAIL = re.compile(r"[^\s@<>\"'(),;]+@[^\s@<>\"'(),;]+\.[A-Za-z]{2,}")


@dataclass
class State:
    """What is kept in the cursor.

    Attributes:
        since: when the last run that was read ended, as seconds since 1970.
        start: when the sensor was switched on first; what ended before is not its concern.
        seen: runs read of the last minutes, and when they ended.
        open: what an alert was sent for and is not over: its subject, its severity, and the hours that have to go
            through.
    """

    since: float
    start: float
    seen: dict[str, float] = field(default_factory=dict)
    open: dict[str, tuple[str, str, list[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str | None) -> "State":
        """The state of a cursor; without one everything begins now."""
        now = datetime.now(UTC).timestamp()
        return cls(**json.loads(cursor)) if cursor else cls(since=now, start=now)

    @property
    def cursor(self) -> str:
        """The text to keep."""
        return json.dumps(asdict(self))

    def unread(self, instance: dg.DagsterInstance) -> Iterator[tuple[dg.DagsterRun, float]]:
        """Runs that ended and were not read, with the moment, in the order in which they ended."""
        floor = max(self.start, self.since - LOOK_BACK)
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
        """Remembers that a run was read."""
        self.since = max(self.since, moment)
        self.seen[run.run_id] = moment
        self.seen = {run_id: ended for run_id, ended in self.seen.items() if ended >= self.since - LOOK_BACK}

    def apply(self, outcome: RunOutcome) -> Iterator[str]:
        """The lines that a run calls for. What a line says counts as told when the next one is asked for."""
        for incident in outcome.incidents.values():
            if incident.name not in self.open:
                yield line(f"{incident.severity} {incident.subject}{in_hour(incident.hours)}: {incident.words}")
            _, _, hours = self.open.get(incident.name, ("", "", []))
            self.open[incident.name] = (incident.subject, incident.severity, sorted({*hours, *incident.hours}))
        for name, (subject, severity, hours) in list(self.open.items()):
            left = outcome.open_hours(name, severity, hours)
            if left is None:
                yield line(f"OVER {subject}{in_hour(hours)}: it goes through again.")
                del self.open[name]
            else:
                self.open[name] = (subject, severity, left)

    def pending_alerts(self, instance: dg.DagsterInstance) -> Iterator[str]:
        """The lines of the runs that were not read, as `apply` gives them; ends when the tick's time is up."""
        end = monotonic() + SECONDS_A_TICK
        for _, (run, moment) in zip(range(RUNS_A_TICK), self.unread(instance), strict=False):
            for text in self.apply(outcome_of(instance, run)):
                if monotonic() > end:
                    return
                yield text
            self.note(run, moment)
            if monotonic() > end:
                return


def alert_sensor(settings: Settings) -> dg.SensorDefinition:
    """Posts a line for each run and check that fails, and one when that is over."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=30,
        description="Tells a webhook of runs and asset checks that fail, once each, and when that is over.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if settings.alert_webhook is None:
            return dg.SkipReason("SNAP_PIPELINE_ALERT_WEBHOOK is not set, so nobody is told.")
        webhook = Webhook(settings.alert_webhook.get_secret_value())
        state, sent, waits = State.of(context.cursor), 0, ""
        try:
            for text in state.pending_alerts(context.instance):
                webhook.send(text)
                sent += 1
        except WebhookDown as error:
            context.log.warning(f"An alert waits for the next tick: {error}.")
            waits = f" The next one waits: {error}."
        context.update_cursor(state.cursor)
        return dg.SkipReason(f"Lines sent: {sent}.{waits}")

    return alerts


def in_hour(hours: Sequence[str]) -> str:
    """Which hour, the last of several; nothing where there is none."""
    return f", hour {max(hours)}" if hours else ""


def line(text: str) -> str:
    """One line for Slack, without anything that looks like an e-mail address."""
    plain = EMAIL.sub("…", " ".join(text.split()))
    if len(plain) > LONGEST_LINE:
        plain = plain[: LONGEST_LINE - 1] + "…"
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
