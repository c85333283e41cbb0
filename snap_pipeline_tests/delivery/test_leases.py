"""Leases between real processes, on SQLite and Postgres."""

import time
from typing import Any

import pytest
import sqlalchemy as sa

from snap_pipeline.delivery.leases import LEASE_SECONDS, LeaseLost, LeaseTaken, acquire
from snap_pipeline.state.database import Database, StateDatabaseError
from snap_pipeline.state.tables import LEASES
from snap_pipeline_tests.processes import SPAWN, run_at_once
from snap_pipeline_tests.state.rows import WORKSPACE, add_destination_row

HOUR = "2026-11-20T12"


def hold(url: str, held: Any, finish: Any, lease_seconds: float, renew_seconds: float) -> None:
    """Hold the lease in a process of its own until an event ends it, or until it is killed."""
    with acquire(Database(url), WORKSPACE, "shop", HOUR, lease_seconds=lease_seconds, renew_seconds=renew_seconds):
        held.set()
        finish.wait()


@pytest.fixture(autouse=True)
def destinations(database: Database) -> None:
    """Add destinations of the ids for which leases are taken."""
    for id_ in ("shop", "app"):
        add_destination_row(database, id_)


@pytest.fixture
def holder(request: pytest.FixtureRequest, database_url: str, database: Database) -> Any:
    """Start processes that hold the lease, each returned with the event that ends it."""
    started = []

    def start(lease_seconds: float, renew_seconds: float) -> tuple[Any, Any]:
        held, finish = SPAWN.Event(), SPAWN.Event()
        arguments = (database_url, held, finish, lease_seconds, renew_seconds)
        process = SPAWN.Process(target=hold, args=arguments, daemon=True)
        process.start()
        started.append(process)
        assert held.wait(timeout=60)
        return process, finish

    yield start
    for process in started:
        process.kill()
        process.join()


def rows(database: Database) -> list[tuple[str, str]]:
    with database.transaction(WORKSPACE) as connection:
        return [tuple(row) for row in connection.execute(sa.select(LEASES.c.destination_id, LEASES.c.hour))]


def try_to_take(url: str) -> str:
    try:
        with acquire(Database(url), WORKSPACE, "shop", HOUR, wait_seconds=0):
            time.sleep(1)
    except LeaseTaken:
        return "taken"
    return "held"


def test_of_processes_that_come_at_once_one_gets_the_lease(database_url: str, database: Database) -> None:
    answers = run_at_once(try_to_take, 4, database_url)

    assert sorted(answers) == ["held", "taken", "taken", "taken"]


def test_a_lease_that_is_renewed_outlives_its_length(database: Database, holder: Any) -> None:
    holder(lease_seconds=3, renew_seconds=0.2)

    with (
        pytest.raises(LeaseTaken, match=f"sending {HOUR} to this destination"),
        acquire(database, WORKSPACE, "shop", HOUR, wait_seconds=4),
    ):
        pytest.fail("two processes hold the lease")


def test_a_dead_holders_lease_is_taken_over_when_it_expires(database: Database, holder: Any) -> None:
    process, _ = holder(lease_seconds=2, renew_seconds=0.2)
    process.kill()

    with acquire(database, WORKSPACE, "shop", HOUR, wait_seconds=60) as lease:
        lease.ensure_held()


def test_whoever_waits_gets_the_lease_when_it_is_given_back(database: Database, holder: Any) -> None:
    _, finish = holder(lease_seconds=600, renew_seconds=60)

    with acquire(
        database, WORKSPACE, "shop", HOUR, sleep=lambda seconds: (finish.set(), time.sleep(seconds))[1]
    ) as lease:
        lease.ensure_held()


def test_the_wait_is_as_long_as_it_was_asked_for(database: Database) -> None:
    naps: list[float] = []
    with (
        acquire(database, WORKSPACE, "shop", HOUR),
        pytest.raises(LeaseTaken),
        acquire(database, WORKSPACE, "shop", HOUR, wait_seconds=90, sleep=naps.append),
    ):
        pytest.fail("two hold the lease")
    assert sum(naps) == 90


def test_other_hours_and_destinations_are_free(database: Database) -> None:
    with (
        acquire(database, WORKSPACE, "shop", HOUR),
        acquire(database, WORKSPACE, "shop", "2026-11-20T13"),
        acquire(database, WORKSPACE, "app", HOUR),
    ):
        assert sorted(rows(database)) == [("app", HOUR), ("shop", HOUR), ("shop", "2026-11-20T13")]


def test_a_lease_is_given_back_after_a_failure_too(database: Database) -> None:
    with pytest.raises(ArithmeticError), acquire(database, WORKSPACE, "shop", HOUR):
        raise ArithmeticError
    assert rows(database) == []


def test_a_holder_whose_lease_became_somebody_elses_must_stop_and_leaves_it_alone(database: Database) -> None:
    with acquire(database, WORKSPACE, "shop", HOUR, renew_seconds=0.05) as lease:
        with database.transaction(WORKSPACE) as connection:
            connection.execute(sa.update(LEASES).values(holder="another process"))
        with pytest.raises(LeaseLost, match="could not be renewed"):
            while True:
                lease.ensure_held()
    assert rows(database) == [("shop", HOUR)]


def test_a_holder_that_cannot_reach_the_database_must_stop_when_the_lease_expires(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise StateDatabaseError("The state database cannot be used.")

    with acquire(database, WORKSPACE, "shop", HOUR, lease_seconds=1.5, renew_seconds=0.05) as lease:
        lease.ensure_held()
        monkeypatch.setattr(database, "transaction", unreachable)
        with pytest.raises(LeaseLost):
            while True:
                lease.ensure_held()


def test_a_holder_whose_machine_slept_through_the_lease_must_stop(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands still while a laptop's lid is closed; whoever took over sends meanwhile."""
    with acquire(database, WORKSPACE, "shop", HOUR) as lease:
        lease.ensure_held()
        wall = time.time
        monkeypatch.setattr(time, "time", lambda: wall() + LEASE_SECONDS)
        with pytest.raises(LeaseLost):
            lease.ensure_held()
        assert lease.take()  # as the renewal does
        lease.ensure_held()
