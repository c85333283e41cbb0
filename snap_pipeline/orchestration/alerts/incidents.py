"""What a finished run says of what is wrong, and of what is well again. Which alerts follow is `sensor.py`.

A run that failed, and a check that failed in a run that is green, are the same here: a trouble with a name that stays
the same for as long as it lasts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from snap_pipeline.hours import format_hour
from snap_pipeline.orchestration.assets.dispatched_batches import HOUR_LABEL
from snap_pipeline.orchestration.assets.hourly_step import HOURS_AT_FAULT
from snap_pipeline.orchestration.dagster_internals import SerializableErrorInfo, StepFailureData
from snap_pipeline.orchestration.runs import hours_of_tags

WARN = dg.AssetCheckSeverity.WARN.value
RELEVANT_EVENTS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}
OURS = "snap_pipeline."
"""Messages of our own errors are for the user. Another's may quote the data, and is left where it is."""


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong.

    Attributes:
        name: stays the same while it lasts.
        subject: the destination, the step or the check, as an alert calls it.
        words: what happened and what to do.
        severity: ERROR or WARN.
        hours: keys of those that have to go through before it is over; none for what has no hours.
    """

    name: str
    subject: str
    words: str
    severity: str = "ERROR"
    hours: Sequence[str] = ()


@dataclass
class RunOutcome:
    """How a run ended.

    Attributes:
        hours: keys of those that it made.
        troubles: by name.
        well: what it showed to be well: names of checks that passed, and of steps, whose troubles it would have named.
    """

    hours: Sequence[str]
    incidents: dict[str, Incident] = field(default_factory=dict)
    resolved: set[str] = field(default_factory=set)

    def open_hours(self, name: str, severity: str, hours: Sequence[str]) -> list[str] | None:
        """What is left of a trouble's hours after this run; None where it is over.

        What only warns asks how things are now: it is over with the hour that failed or any later one. Everything else
        is over when every hour in which it failed has gone through, because nothing of a later hour mends it.
        """
        if name in self.incidents and name.startswith("check "):
            # It names the hours at fault, so the run's other ones are well.
            return sorted({hour for hour in hours if hour not in self.hours} | {*self.incidents[name].hours})
        if name in self.incidents or not {name, name.rsplit("/", 1)[0]} & self.resolved:
            return list(hours)
        if severity == WARN:
            return None if max(self.hours, default="") >= max(hours, default="") else list(hours)
        return [hour for hour in hours if hour not in self.hours] or None


def outcome_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunOutcome:
    """Reads what a finished run left in Dagster's event log."""
    outcome = RunOutcome([format_hour(hour) for hour in hours_of_tags(run.tags)])
    if is_trial(run):
        return outcome
    last_hour = sorted(outcome.hours)[-1:]
    explained_by_check, failures = set(), {}
    for entry in instance.all_logs(run.run_id, of_type=RELEVANT_EVENTS):
        event = entry.get_dagster_event()
        data, step = event.event_specific_data, event.step_key or ""
        if isinstance(data, dg.AssetCheckEvaluation):
            name = f"check {data.asset_key.to_user_string()}: {data.check_name}"
            outcome.resolved.discard(name)
            outcome.incidents.pop(name, None)
            if data.passed:
                outcome.resolved.add(name)
            else:
                explained_by_check.add(step)
                outcome.incidents[name] = _check_incident(name, data, last_hour)
        elif isinstance(data, StepFailureData):
            failures[step] = data
        else:
            outcome.resolved.add(f"step {step}")
    for step, data in failures.items():
        # A check that failed says more than the step which it made fail.
        if step not in explained_by_check:
            found = list(_step_incidents(step, data, run, last_hour))
            outcome.incidents |= {incident.name: incident for incident in found}
            if any(incident.name != f"step {step}" for incident in found):
                outcome.resolved.add(f"step {step}")
    if run.status is dg.DagsterRunStatus.SUCCESS:
        outcome.resolved.add(f"run {run.job_name}")
    elif not failures:
        words = "the run's process died, or could not start. See its log in Dagster and start it again."
        name = f"run {run.job_name}"
        outcome.incidents[name] = Incident(name, run.job_name, _with_run(words, run), hours=last_hour)
    return outcome


def is_trial(run: dg.DagsterRun) -> bool:
    """Whether somebody only asked what Snap would take; they see the answer."""
    steps: Any = run.run_config.get("ops", {})
    return bool(steps.get("dispatched_batches", {}).get("config", {}).get("validate_only"))


def _check_incident(name: str, evaluation: dg.AssetCheckEvaluation, last_hour: Sequence[str]) -> Incident:
    words = evaluation.description or "the check failed; Dagster shows the rows at fault beside the asset."
    subject = f"{evaluation.asset_key.to_user_string()} {evaluation.check_name}"
    at_fault: Any = evaluation.metadata.get(HOURS_AT_FAULT)
    hours = at_fault.value if at_fault else last_hour
    return Incident(name, subject, words, evaluation.severity.value, hours)


def _step_incidents(
    step: str, data: StepFailureData, run: dg.DagsterRun, last_hour: Sequence[str]
) -> Iterator[Incident]:
    """One for each destination that the failure names, or one for the step."""
    failure = data.user_failure_data
    metadata: Mapping[str, dg.MetadataValue] = failure.metadata if failure else {}
    destinations = [label for label in metadata if f"{label}{HOUR_LABEL}" in metadata]
    for name in destinations:
        words, failed_hour = metadata[name].value, metadata[f"{name}{HOUR_LABEL}"].value
        yield Incident(f"step {step}/{name}", name, _with_run(str(words), run), hours=[str(failed_hour)])
    at_fault: Any = metadata.get(HOURS_AT_FAULT)
    if at_fault or not destinations:
        words = failure.description if failure and failure.description else _told_to_users(data.error)
        yield Incident(f"step {step}", step, _with_run(words, run), hours=at_fault.value if at_fault else last_hour)


def _told_to_users(error: SerializableErrorInfo | None) -> str:
    kind = "an error"
    while error:
        kind = error.cls_name or kind
        if error.message.startswith(OURS):
            return error.message.split(": ", 1)[-1]
        error = error.cause or error.context
    return f"{kind}. Its message may quote data, so it stays in the run's log in Dagster: mend it, then start it again."


def _with_run(words: str, run: dg.DagsterRun) -> str:
    return f"{words.strip()} (run {run.run_id[:8]})"
