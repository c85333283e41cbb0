"""Permits spread over the minute and shared by processes, on SQLite and Postgres."""

import itertools
import time
from collections.abc import Callable

import pytest

from snap_pipeline.capi.rate_limit import SPREAD_SECONDS, RateLimiter, token_fingerprint
from snap_pipeline.state.database import Database
from snap_pipeline_tests.processes import run_at_once

PROCESSES = 4
PERMITS = 25


class Sleeper:
    """Sleeps by noting how long; something may happen meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = list) -> None:
        self.naps: list[float] = []
        self._meanwhile = meanwhile

    def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._meanwhile()


def at_one_moment(url: str) -> Database:
    """A database whose clock stands still, on SQLite."""
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

    limiter.pause("token", 1_000)
    limiter.pause("token", 500)
    other_process.acquire("token", 60)

    assert naps.naps[0] == pytest.approx(1_000, abs=60)
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
