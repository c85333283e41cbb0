"""Incidents of a finished run: those that it shows, and those that it resolves. `sensor.py` decides about alerts.

A failed run, and a failed check in a successful run, are both incidents. An incident keeps its name while it is open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from snap_pipeline.hours import format_hour
from snap_pipeline.orchestration.assets.hourly_step import HOURS_AT_FAULT
from snap_pipeline.orchestration.assets.undelivered import HOUR_LABEL
from snap_pipeline.orchestration.dagster_internals import SerializableErrorInfo, StepFailureData
from snap_pipeline.orchestration.runs import hours_of_tags

WARN = dg.AssetCheckSeverity.WARN.value
RELEVANT_EVENTS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}
OWN_ERRORS = "snap_pipeline."
"""Prefix of our own errors, whose messages quote no data; alerts leave out the messages of all others."""


@dataclass(frozen=True)
class Incident:
    """A failure of a destination, step, run or check.

    Attributes:
        name: identifies the incident while it is open.
        subject: the destination, step, job or check, as named in alerts.
        message: what happened and what to do.
        severity: ERROR or WARN.
        hours: keys of the hours that have to succeed before it is resolved; empty if it has no hours.
    """

    name: str
    subject: str
    message: str
    severity: str = "ERROR"
    hours: Sequence[str] = ()


@dataclass
class RunOutcome:
    """The outcome of a run.

    Attributes:
        hours: keys of the run's hours.
        incidents: by name.
        resolved: names of checks that passed and of steps and runs that succeeded.
    """

    hours: Sequence[str]
    incidents: dict[str, Incident] = field(default_factory=dict)
    resolved: set[str] = field(default_factory=set)

    def open_hours(self, name: str, severity: str, hours: Sequence[str]) -> list[str] | None:
        """Return the hours of an open incident that this run leaves open; None if the incident is resolved.

        A WARN incident is about the current state: success in its last hour or a later one resolves it. An ERROR
        incident is resolved once each of its hours has succeeded, since a later hour does not fix an earlier one.

        Args:
            name: of the incident.
            severity: ERROR or WARN.
            hours: keys of its open hours.
        """
        if name in self.incidents and name.startswith("check "):
            # The check names the hours at fault, so the run's other hours are resolved.
            return sorted({hour for hour in hours if hour not in self.hours} | {*self.incidents[name].hours})
        if name in self.incidents or not {name, name.rsplit("/", 1)[0]} & self.resolved:
            return list(hours)
        if severity == WARN:
            return None if max(self.hours, default="") >= max(hours, default="") else list(hours)
        return [hour for hour in hours if hour not in self.hours] or None


def read_outcome(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunOutcome:
    """Read the outcome of a finished run from Dagster's event log."""
    outcome = RunOutcome([format_hour(hour) for hour in hours_of_tags(run.tags)])
    if is_validation(run):
        return outcome
    last_hour = sorted(outcome.hours)[-1:]
    explained_by_check, failures = set(), {}
    evaluations: dict[str, dict[str | None, dg.AssetCheckEvaluation]] = {}
    for entry in instance.all_logs(run.run_id, of_type=RELEVANT_EVENTS):
        event = entry.get_dagster_event()
        data, step = event.event_specific_data, event.step_key or ""
        if isinstance(data, dg.AssetCheckEvaluation):
            name = f"check {data.asset_key.to_user_string()}: {data.check_name}"
            evaluations.setdefault(name, {})[data.partition] = data  # of a retried step, the last one counts
            if not data.passed:
                explained_by_check.add(step)
        elif isinstance(data, StepFailureData):
            failures[step] = data
        else:
            outcome.resolved.add(f"step {step}")
    failed_checks = {
        name: [each for each in by_hour.values() if not each.passed] for name, by_hour in evaluations.items()
    }
    outcome.resolved |= {name for name, failed in failed_checks.items() if not failed}
    outcome.incidents |= {
        name: _check_incident(name, failed, last_hour) for name, failed in failed_checks.items() if failed
    }
    for step, data in failures.items():
        # A failed check explains more than the failure of its step.
        if step not in explained_by_check:
            found = list(_step_incidents(step, data, run, last_hour))
            outcome.incidents |= {incident.name: incident for incident in found}
            if any(incident.name != f"step {step}" for incident in found):
                outcome.resolved.add(f"step {step}")
    if run.status is dg.DagsterRunStatus.SUCCESS:
        outcome.resolved.add(f"run {run.job_name}")
    elif not failures:
        message = "the run's process died, or could not start. See its log in Dagster and start it again."
        name = f"run {run.job_name}"
        outcome.incidents[name] = Incident(name, run.job_name, _with_run(message, run), hours=last_hour)
    return outcome


def is_validation(run: dg.DagsterRun) -> bool:
    """Tell whether a run only validated events: whoever started it sees the result, so no alert is needed."""
    steps: Any = run.run_config.get("ops", {})
    return bool(steps.get("dispatched_batches", {}).get("config", {}).get("validate_only"))


def _check_incident(name: str, failed: Sequence[dg.AssetCheckEvaluation], last_hour: Sequence[str]) -> Incident:
    """Return the incident of a check, from its failed evaluations: one for each hour, or one without an hour."""
    first = failed[0]
    message = first.description or "the check failed; Dagster shows the rows at fault beside the asset."
    others = f"{len(failed)} hours failed. The first: " if len(failed) > 1 else ""
    subject = f"{first.asset_key.to_user_string()} {first.check_name}"
    hours = [each.partition for each in failed if each.partition] or last_hour
    return Incident(name, subject, others + message, first.severity.value, hours)


def _step_incidents(
    step: str, data: StepFailureData, run: dg.DagsterRun, last_hour: Sequence[str]
) -> Iterator[Incident]:
    """Yield one incident for each destination that the failure names, or one for the step."""
    failure = data.user_failure_data
    metadata: Mapping[str, dg.MetadataValue] = failure.metadata if failure else {}
    destinations = [label for label in metadata if f"{label}{HOUR_LABEL}" in metadata]
    for name in destinations:
        message, failed_hour = metadata[name].value, metadata[f"{name}{HOUR_LABEL}"].value
        yield Incident(f"step {step}/{name}", name, _with_run(str(message), run), hours=[str(failed_hour)])
    at_fault: Any = metadata.get(HOURS_AT_FAULT)
    if at_fault or not destinations:
        message = failure.description if failure and failure.description else _safe_message(data.error)
        yield Incident(f"step {step}", step, _with_run(message, run), hours=at_fault.value if at_fault else last_hour)


def _safe_message(error: SerializableErrorInfo | None) -> str:
    kind = "an error"
    while error:
        kind = error.cls_name or kind
        if error.message.startswith(OWN_ERRORS):
            return error.message.split(": ", 1)[-1]
        error = error.cause or error.context
    return f"{kind}. Its message may quote data, so it is only in the run's log in Dagster. Fix it and run again."


def _with_run(message: str, run: dg.DagsterRun) -> str:
    return f"{message.strip()} (run {run.run_id[:8]})"
