"""Run monitoring: dead runs are failed and release their hours; living runs are left alone."""

import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring import concurrency
from dagster._daemon.monitoring.concurrency import execute_concurrency_slots_iteration
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from snap_pipeline.cli.run import open_instance
from snap_pipeline.definitions import build_definitions
from snap_pipeline.orchestration import run_monitoring
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline.orchestration.run_monitoring import (
    ALIVE_UNTIL_TAG,
    LONGEST_RUN,
    MonitoredRunLauncher,
    execute_with_lease,
)
from snap_pipeline.orchestration.runs import hours_in_flight, range_tags
from snap_pipeline_tests.project import HOUR, START, Project, key, purchase
from snap_pipeline_tests.web_server import BIN

POOL = "snap_capi"


@pytest.fixture
def project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project on the instance that the command line makes for its home."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(project.settings) as project.instance:
        yield project


def look(instance: dg.DagsterInstance) -> None:
    """Look at all runs once, as Dagster's run monitoring does."""
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context:
        assert [*execute_run_monitoring_iteration(context, logging.getLogger(__name__))] == [None]


def slot_holders(instance: dg.DagsterInstance) -> set[str]:
    """Return the ids of the runs that hold a place in a pool."""
    return instance.event_log_storage.get_concurrency_run_ids()


def health(**address: object) -> WorkerStatus:
    """Return what the launcher says of a run that the code server at this address started."""
    run = dg.DagsterRun(job_name=HOURLY_JOB, tags={GRPC_INFO_TAG: json.dumps(address)})
    return MonitoredRunLauncher().check_run_worker_health(run).status


def test_the_run_of_a_killed_command_is_failed_and_lets_go_of_its_hour(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    project.land(purchase("e"))
    project.set_fault(delay_seconds=60)
    command = subprocess.Popen(
        [str(BIN / "snap-pipeline"), "materialize", "--from", key(HOUR), "--to", key(HOUR)],
        env=os.environ
        | {
            "SNAP_PIPELINE_HOME": str(project.settings.home),
            "SNAP_PIPELINE_START": START,
            "SNAP_PIPELINE_NOW": project.settings.now().isoformat(),
        },
        stdout=subprocess.DEVNULL,
    )
    while not project.received():
        assert command.poll() is None
        time.sleep(0.1)
    look(project.instance)
    assert hours_in_flight(project.instance) == {HOUR}
    assert project.instance.event_log_storage.get_concurrency_info(POOL).slot_count == 4
    assert len(slot_holders(project.instance)) == 1
    command.send_signal(signal.SIGKILL)
    command.wait()
    look(project.instance)
    assert hours_in_flight(project.instance) == {HOUR}
    monkeypatch.setattr(run_monitoring, "LEASE", timedelta(0))
    look(project.instance)
    assert hours_in_flight(project.instance) == set()
    (run,) = project.instance.get_runs()
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert slot_holders(project.instance) == {run.run_id}
    with WorkspaceProcessContext(project.instance, EmptyWorkspaceTarget()) as context:
        monkeypatch.setattr(concurrency, "get_current_datetime", lambda: datetime.now(UTC) + timedelta(seconds=65))
        assert [*execute_concurrency_slots_iteration(context, logging.getLogger(__name__))] == [None]
    assert slot_holders(project.instance) == set()


def test_without_a_daemon_the_next_command_frees_the_slots_of_dead_runs(project: Project, tmp_path: Path) -> None:
    storage, job = project.instance.event_log_storage, build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    storage.initialize_concurrency_limit_to_default(POOL)

    def holder(status: dg.DagsterRunStatus, **tags: str) -> str:
        run = project.instance.create_run_for_job(job, tags=range_tags(HOUR, HOUR) | tags, status=status)
        assert storage.claim_concurrency_slot(POOL, run.run_id, "dispatched_batches").is_claimed
        return run.run_id

    def lease(seconds: float) -> str:
        return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")

    living = holder(dg.DagsterRunStatus.STARTED, **{ALIVE_UNTIL_TAG: lease(-30)})
    holder(dg.DagsterRunStatus.STARTED, **{ALIVE_UNTIL_TAG: lease(-90)})
    holder(dg.DagsterRunStatus.FAILURE)
    holder(
        dg.DagsterRunStatus.STARTED,
        **{GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": str(tmp_path / "gone")})},
    )

    @dg.job(executor_def=dg.in_process_executor)
    def next_command() -> None:
        pass

    assert execute_with_lease(next_command, project.instance).success
    assert slot_holders(project.instance) == {living}


def test_a_command_that_runs_for_long_renews_its_lease(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_monitoring, "LEASE_RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(run_monitoring, "LEASE", timedelta(seconds=-1))

    @dg.op
    def wait_for_renewal(context: dg.OpExecutionContext) -> None:
        for _ in range(200):
            run = context.instance.get_run_by_id(context.run_id)
            if run and datetime.fromisoformat(run.tags[ALIVE_UNTIL_TAG]) > datetime.now(UTC):
                return
            monkeypatch.setattr(run_monitoring, "LEASE", timedelta(seconds=60))
            time.sleep(0.05)
        pytest.fail("the lease was not renewed")

    @dg.job(executor_def=dg.in_process_executor)
    def long() -> None:
        wait_for_renewal()

    assert execute_with_lease(long, project.instance).success


def test_the_run_of_a_command_belongs_to_the_code_location_of_the_ui(project: Project) -> None:
    project.add_destination()
    project.land(purchase("e"))
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    assert execute_with_lease(job, project.instance, tags=range_tags(HOUR, HOUR)).success
    assert len(project.received()) == 1
    # The UI asks for the runs of a job with this tag; the timeline takes the location of the run's origin.
    of_job = dg.RunsFilter(job_name=HOURLY_JOB, tags={".dagster/repository": "__repository__@snap_pipeline"})
    (run,) = project.instance.get_runs(of_job)
    assert run.remote_job_origin
    assert run.remote_job_origin.location_name == "snap_pipeline"


def test_a_command_whose_clock_or_sleep_makes_its_lease_late_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is dead when its lease is the same for as long as a lease is good for, by the clock of who looks."""
    launcher, now = MonitoredRunLauncher(), time.monotonic()
    run = dg.DagsterRun(job_name=HOURLY_JOB)

    def health_after(seconds: float, renewals: int) -> WorkerStatus:
        monkeypatch.setattr(time, "monotonic", lambda: now + seconds)
        tags = {ALIVE_UNTIL_TAG: f"2026-11-20T12:0{renewals}:00+00:00"}  # long past
        return launcher.check_run_worker_health(run.with_tags(tags)).status

    assert health_after(0, renewals=0) is WorkerStatus.RUNNING
    assert health_after(55, renewals=0) is WorkerStatus.RUNNING
    assert health_after(70, renewals=4) is WorkerStatus.RUNNING
    assert health_after(125, renewals=4) is WorkerStatus.RUNNING
    assert health_after(135, renewals=4) is WorkerStatus.FAILED


def test_the_run_of_a_command_that_is_executed_again_in_the_ui_is_the_servers() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = {"host": "127.0.0.1", "port": server.getsockname()[1]}
        tags = {ALIVE_UNTIL_TAG: "2026-11-20T12:00:00+00:00", GRPC_INFO_TAG: json.dumps(address)}
        run, launcher = dg.DagsterRun(job_name=HOURLY_JOB, tags=tags), MonitoredRunLauncher()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run_monitoring, "LEASE", timedelta(seconds=-1))
            assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


def test_a_server_that_ended_took_its_runs_with_it(tmp_path: Path) -> None:
    assert health(host="localhost", socket=str(tmp_path / "gone")) is WorkerStatus.NOT_FOUND
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "left"))
        server.listen()
    assert health(host="localhost", socket=str(tmp_path / "left")) is WorkerStatus.NOT_FOUND


def test_runs_of_a_server_that_cannot_be_asked_are_left_alone() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert health(host="127.0.0.1", port=probe.getsockname()[1]) is WorkerStatus.RUNNING
    of_nobody_known = dg.DagsterRun(job_name=HOURLY_JOB)
    assert MonitoredRunLauncher().check_run_worker_health(of_nobody_known).status is WorkerStatus.RUNNING


def test_where_nobody_monitors_runs_their_hours_are_let_go_of_after_the_longest_run(project: Project) -> None:
    assert isinstance(project.instance.run_launcher, MonitoredRunLauncher)
    assert project.instance.run_monitoring_max_runtime_seconds == LONGEST_RUN.total_seconds()
    job = build_definitions(project.settings).resolve_job_def(HOURLY_JOB)
    run = project.instance.create_run_for_job(job, tags=range_tags(HOUR, HOUR), status=dg.DagsterRunStatus.STARTED)
    begin = (datetime.now(UTC) - LONGEST_RUN).timestamp()
    for start, hours in ((begin + 60, {HOUR}), (begin - 60, set())):
        with project.instance.run_storage.connect() as connection:
            connection.exec_driver_sql("update runs set start_time = ? where run_id = ?", (start, run.run_id))
        assert hours_in_flight(project.instance) == hours
