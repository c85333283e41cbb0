"""Run monitoring: detects runs whose process is dead, so that Dagster fails them within seconds.

Dagster's own launcher starts runs as processes of a code server and cannot tell whether they are alive. When the server
is killed or upgraded, its runs stay STARTED until the maximum run time: their hours count as in flight, so the sensor
does not request them, and they occupy run slots. The launcher here asks the server. The layers, so that no other is
added:

- a run process that dies while its code server lives: the server fails the run;
- a code server that died: it, or its successor at the same address, does not know the run, and monitoring fails it;
- a run in the process of a command: it renews a lease in the run's tags, and is dead once the lease is not renewed;
- a run that never gets from STARTING to STARTED, or hangs: the timeouts of `run_monitoring` in dagster.yaml.

Web server and daemon import this module, `dagster_internals.py` and nothing else of the project.
"""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import dagster as dg

from snap_pipeline.orchestration.dagster_internals import (
    GRPC_INFO_TAG,
    SINGLETON_REPOSITORY_NAME,
    CheckRunHealthResult,
    ConfigurableClassData,
    DagsterGrpcClient,
    DagsterUserCodeUnreachableError,
    DefaultRunLauncher,
    GetCurrentRunsResult,
    InMemoryJob,
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    WorkerStatus,
    deserialize_value,
    execute_run,
    make_new_run_id,
)

CODE_LOCATION = "snap_pipeline"
"""The name of the code location in pyproject.toml and in each workspace.yaml."""
ALIVE_UNTIL_TAG = "snap_pipeline/alive_until"
LEASE = timedelta(seconds=60)
LEASE_RENEWAL_SECONDS = 15.0
"""A quarter of the lease: three renewals may fail, or be late on a busy machine, before the run counts as dead."""

LONGEST_RUN = timedelta(hours=3)
"""Twice the time that 24 hours of a million events each take; also `max_runtime_seconds` of every instance."""

RUNNING = CheckRunHealthResult(WorkerStatus.RUNNING)


class MonitoredRunLauncher(DefaultRunLauncher):
    """A `DefaultRunLauncher` that also tells run monitoring which runs are dead.

    Args:
        inst_data: configuration from Dagster.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._leases: dict[str, tuple[str, float]] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True, so that run monitoring calls `check_run_worker_health`."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether the process of a started run is alive; if that is unknown, assume that it is."""
        # This comes first: a re-execution of a command's run in the UI copies the lease tag to the new run.
        if GRPC_INFO_TAG in run.tags:
            return _check_code_server(run.run_id, json.loads(run.tags[GRPC_INFO_TAG]))
        if ALIVE_UNTIL_TAG in run.tags:
            return self._check_lease(run.run_id, run.tags[ALIVE_UNTIL_TAG])
        return RUNNING

    def _check_lease(self, run_id: str, alive_until: str) -> CheckRunHealthResult:
        """Tell whether a lease was renewed lately, by this process's own monotonic clock.

        The clock of the command's host may differ, and a laptop that wakes up finds every lease expired.
        """
        now = time.monotonic()
        seen, since = self._leases.get(run_id, ("", now))
        if seen != alive_until:
            self._leases[run_id], since = (alive_until, now), now
        if now - since <= LEASE.total_seconds():
            return RUNNING
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"the command that ran it has not renewed its lease for {LEASE.total_seconds():.0f} s; it held until "
            f"{alive_until}",
        )


def _check_code_server(run_id: str, address: Mapping[str, Any]) -> CheckRunHealthResult:
    if "socket" in address and not _accepts_connections(address["socket"]):
        # Each server has a socket of its own, so no successor will appear at this path.
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server that ran it has ended")
    try:
        answer = deserialize_value(DagsterGrpcClient(**address).get_current_runs(), GetCurrentRunsResult)
    except DagsterUserCodeUnreachableError:
        # It may be busy or restarting, and then its successor answers a later check. The proxy of `dagster
        # code-server start` does not implement this call at all.
        return RUNNING
    if run_id in answer.current_runs:
        return RUNNING
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server was restarted, which ended its runs")


def _accepts_connections(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # busy, or not accessible to this user
            return True
    return True


def execute_with_lease(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, object] | None = None,
) -> dg.JobExecutionResult:
    """Run a job in this process under a lease; failures are in the result and are not raised.

    The run belongs to the code location, so that the UI shows it under the job and in the timeline.

    Args:
        job: to run.
        instance: where the run is recorded.
        tags: of the run.
        run_config: of the run.
    """
    free_slots_of_dead_runs(instance)
    run_id = make_new_run_id()
    location = RegisteredCodeLocationOrigin(CODE_LOCATION)
    with _renewed_lease(instance, run_id):
        run = instance.create_run_for_job(
            job,
            run_id=run_id,
            run_config=run_config,
            tags={**(tags or {}), **_lease()},
            remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job.name),
        )
        return execute_run(InMemoryJob(job), run, instance)


def free_slots_of_dead_runs(instance: dg.DagsterInstance) -> None:
    """Free the places in pools that ended or dead runs hold.

    Run monitoring does it too, but a home whose commands alone run Dagster has no daemon: there each killed command
    would hold its place for ever, until a command waits for one that never comes.
    """
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished or _is_dead(run):
            storage.free_concurrency_slots_for_run(run_id)


def _is_dead(run: dg.DagsterRun) -> bool:
    """Tell whether a run is dead, without watching it for a while; a wrong answer lets one step more send at once."""
    if GRPC_INFO_TAG in run.tags:
        return _check_code_server(run.run_id, json.loads(run.tags[GRPC_INFO_TAG])) is not RUNNING
    alive_until = run.tags.get(ALIVE_UNTIL_TAG)
    return alive_until is not None and datetime.fromisoformat(alive_until) + LEASE < datetime.now(UTC)


def _lease() -> dict[str, str]:
    return {ALIVE_UNTIL_TAG: (datetime.now(UTC) + LEASE).isoformat(timespec="seconds")}


@contextmanager
def _renewed_lease(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    over = Event()

    def renew() -> None:
        while not over.wait(LEASE_RENEWAL_SECONDS):
            # Not yet recorded, or its database is busy: the next renewal is soon enough.
            try:
                instance.add_run_tags(run_id, _lease())
            except Exception:  # noqa: BLE001, S112 - a failed renewal must not end the run
                continue

    thread = Thread(target=renew, name="run-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
