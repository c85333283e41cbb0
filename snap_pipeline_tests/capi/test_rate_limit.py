"""Permits spread over the minute and shared by processes, on SQLite and Postgres."""

import itertools
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import sqlalchemy as sa

from snap_pipeline.capi.answers import THROTTLED_RETRIES
from snap_pipeline.capi.rate_limit import LATE_SLOTS, SPREAD_SECONDS, RateLimiter, token_fingerprint
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import RATE_LIMITS
from snap_pipeline_tests.processes import SPAWN, run_at_once

PATIENCE_SECONDS = THROTTLED_RETRIES.patience_seconds
PROCESSES = 4
PERMITS = 25


class Sleeper:
    """A sleep that only records its length, and calls a function meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = list) -> None:
        self.naps: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._meanwhile()


def at_one_moment(url: str) -> Database:
    """Open a database on SQLite whose clock stands still."""
    return Database(url, clock=lambda: 1_000_000.0)


def slots_taken(url: str, requests_per_minute: int) -> list[float]:
    limiter = RateLimiter(at_one_moment(url), sleep=Sleeper())
    return [limiter.acquire("token", requests_per_minute) for _ in range(PERMITS)]


def moments_of_permits(url: str, requests_per_minute: int) -> list[float]:
    limiter = RateLimiter(Database(url))
    moments = []
    for _ in range(10):
        limiter.acquire("token", requests_per_minute)
        moments.append(time.time())
    return moments


def test_four_processes_get_a_slot_each_evenly_spread(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}"
    Database(url).migrate()

    slots = sorted(itertools.chain.from_iterable(run_at_once(slots_taken, PROCESSES, url, 60)))

    assert slots == pytest.approx([number * SPREAD_SECONDS / 60 for number in range(PROCESSES * PERMITS)], abs=1e-3)
    assert not any(later - earlier < 60 for earlier, later in zip(slots, slots[60:], strict=False))


def test_four_processes_together_never_run_ahead_of_the_limit(database_url: str, database: Database) -> None:
    per_minute = 1_200
    started = time.time()

    moments = sorted(
        itertools.chain.from_iterable(run_at_once(moments_of_permits, PROCESSES, database_url, per_minute))
    )

    earliest = [started + number * SPREAD_SECONDS / per_minute for number in range(len(moments))]
    assert len(moments) == 40
    assert all(moment > allowed - 0.001 for moment, allowed in zip(moments, earliest, strict=True))


def test_the_first_permit_is_free_and_an_idle_time_saves_up_no_burst(tmp_path_factory: pytest.TempPathFactory) -> None:
    moment = 1_000.0
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}", clock=lambda: moment)
    database.migrate()
    limiter = RateLimiter(database, sleep=Sleeper())

    assert limiter.acquire("token", 61) == 0.0
    moment += 3_600
    assert [limiter.acquire("token", 61) for _ in range(3)] == pytest.approx([0.0, 1.0, 2.0])


def test_tokens_do_not_wait_for_each_other(database: Database) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())

    assert limiter.acquire("token", 1) == limiter.acquire("other", 1) == 0.0
    assert limiter.acquire("token", 1) > 0


def test_a_pause_makes_everything_on_the_token_wait(database_url: str, database: Database) -> None:
    naps = Sleeper()
    other_process = RateLimiter(Database(database_url), sleep=naps)
    limiter = RateLimiter(database)

    limiter.pause("token", 500)
    limiter.pause("token", 250)
    other_process.acquire("token", 60)

    assert naps.naps[0] == pytest.approx(500, abs=60)
    assert other_process.acquire("other", 60) == 0.0


def test_a_slot_that_a_pause_overtook_is_given_up_for_one_after_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = at_one_moment(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    database.migrate()
    pauses = iter([30.0])
    naps = Sleeper(lambda: [RateLimiter(database).pause("token", seconds) for seconds in pauses])
    limiter = RateLimiter(database, sleep=naps)
    limiter.acquire("token", 61)

    limiter.acquire("token", 61)

    assert naps.naps == pytest.approx([1.0, 30.0])


def test_a_fingerprint_does_not_give_the_token_away() -> None:
    assert token_fingerprint("secret") == "2bb80d537b1da3e3"


def poll_until(condition: Callable[[], bool]) -> None:
    """Wait until another process has fulfilled a condition."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def put_off(database: Database, seconds: float) -> None:
    """Write the row of a request whose clock is ahead, or of a version without a limit of pauses."""
    with database.transaction(token_fingerprint="token") as connection:
        later = sa.select(database.now() + seconds).scalar_subquery()
        connection.execute(sa.update(RATE_LIMITS).values(next_slot=later, paused_until=later))


@pytest.mark.parametrize("seconds", [PATIENCE_SECONDS + 120, 86_400.0, 10 * 365 * 86_400.0, 1e300])
def test_a_slot_further_off_than_any_pause_is_taken_for_a_wrong_clock(database: Database, seconds: float) -> None:
    naps = Sleeper()
    limiter = RateLimiter(database, sleep=naps)
    limiter.acquire("token", 600)
    put_off(database, seconds)

    assert limiter.acquire("token", 600) == 0.0
    assert 0.0 < limiter.acquire("token", 600) < 5.0
    assert len(naps.naps) == 1


def test_a_pause_of_before_is_no_reason_to_give_slots_up_for_ever(database: Database) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())
    limiter.acquire("token", 60)
    put_off(database, 86_400.0)
    limiter.pause("token", 0.01)

    assert limiter.acquire("token", 60) < 5.0


def test_the_queue_behind_the_longest_pause_is_credible(database: Database) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())
    limiter.pause("token", PATIENCE_SECONDS)

    waits = [limiter.acquire("token", 10) for _ in range(20)]

    assert waits[0] == pytest.approx(PATIENCE_SECONDS, abs=30)
    assert waits[-1] == pytest.approx(PATIENCE_SECONDS + 19 * SPREAD_SECONDS / 10, abs=30)


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_a_pause_is_never_longer_than_the_patience(database: Database, seconds: float) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())
    limiter.pause("token", seconds)

    assert limiter.acquire("token", 60) == pytest.approx(PATIENCE_SECONDS, abs=30)


def test_a_long_wait_is_said_once(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())
    limiter.acquire("token", 60, name="shop")
    limiter.acquire("token", 60, name="shop")
    assert caplog.messages == []

    limiter.pause("token", 300)
    limiter.acquire("token", 60, name="shop")
    limiter.acquire("token", 60, name="shop")

    (said,) = caplog.messages
    assert re.fullmatch(
        r"shop: the next request waits (29\d|300) s, until \d\d:\d\d:\d\d UTC: Snap asked for a pause \(HTTP 429\)\.",
        said,
    )


def test_a_wait_behind_other_requests_is_said_as_such(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    limiter = RateLimiter(database, sleep=Sleeper())
    for _ in range(2):
        limiter.acquire("token", 1, name="shop")

    (said,) = caplog.messages
    assert said.endswith("UTC: other requests with its token go first.")


class Clock:
    """Real time that a test moves, for the database and the process alike."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_slot_that_the_process_slept_through_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)
    database.migrate()
    nights = iter([3_600.0])

    def sleep(seconds: float) -> None:
        clock.sleep(seconds + next(nights, 0.0))

    limiter = RateLimiter(database, sleep=sleep, clock=clock)
    other = RateLimiter(database, sleep=clock.sleep, clock=clock)
    limiter.acquire("token", 61)
    limiter.acquire("token", 61)  # its slot is a second away, and it wakes an hour later
    first = clock.now
    other.acquire("token", 61)

    # The hour's slots are gone: what follows is a second apart again.
    assert clock.now - first == pytest.approx(1.0)


def test_a_machine_that_is_always_late_sends_all_the_same(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)
    database.migrate()
    naps = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock.sleep(seconds + 0.6)

    limiter = RateLimiter(database, sleep=sleep, clock=clock)
    limiter.acquire("token", 30)
    limiter.acquire("token", 30)

    assert len(naps) == LATE_SLOTS + 1


def stamps(url: str, file: str, requests_per_minute: int, threads: int) -> None:
    """Record the moments of permits, from several threads, until the process is killed."""
    limiter = RateLimiter(Database(url))
    lock = threading.Lock()
    with Path(file).open("a") as stream, ThreadPoolExecutor(threads) as pool:

        def take() -> None:
            while True:
                limiter.acquire("token", requests_per_minute)
                with lock:
                    stream.write(f"{time.time()}\n")
                    stream.flush()

        wait([pool.submit(take) for _ in range(threads)])


def test_a_process_that_was_stopped_does_not_send_what_it_missed_at_once(tmp_path: Path) -> None:
    """Eight threads wait for slots a quarter of a second apart while the process is stopped for three seconds."""
    url, file = f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "moments"
    Database(url).migrate()
    process = SPAWN.Process(target=stamps, args=(url, str(file), 240, 8), daemon=True)
    process.start()
    assert process.pid
    try:
        poll_until(lambda: file.exists() and file.read_text().count("\n") >= 3)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(3)
        resumed = time.time()
        os.kill(process.pid, signal.SIGCONT)
        poll_until(lambda: any(float(line) > resumed + 1 for line in file.read_text().split()))
    finally:
        process.kill()
    moments = [float(line) for line in file.read_text().split()]
    at_once = [moment for moment in moments if resumed <= moment < resumed + 0.5]
    assert len(at_once) <= 3
