"""Stops, successes and retries of destinations, on SQLite and Postgres."""

from datetime import timedelta

import pytest

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.run_results import RunResults
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.state.database import Database
from snap_pipeline_tests.destinations.conftest import TOKEN, Add, Clock


@pytest.fixture
def results(database: Database, clock: Clock) -> RunResults:
    return RunResults(database, clock)


def test_stops_in_a_row_put_the_next_attempt_off_up_to_an_hour(
    results: RunResults, store: DestinationStore, add: Add, clock: Clock
) -> None:
    shop, began = add(), clock.moment
    delays = []
    for _ in range(6):
        delays.append(results.record_stop(shop, "unauthorized", "Renew the token.") - clock.moment)
        clock.moment += delays[-1]

    assert delays == [timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60, 60)]
    stopped = store.get("shop")
    assert (stopped.stopped_at, stopped.stop_count, stopped.stop_category) == (began, 6, "unauthorized")
    assert (stopped.stop_message, stopped.last_error, stopped.retry_at) == (
        "Renew the token.",
        "Renew the token.",
        clock.moment,
    )


def test_stops_of_several_hours_at_the_same_time_count_once(
    results: RunResults, store: DestinationStore, add: Add, clock: Clock
) -> None:
    shop = add()
    first = results.record_stop(shop, "no_answer", "Try again later.")
    clock.advance(minutes=1)

    assert results.record_stop(shop, "no_answer", "Try again later.") == first
    assert store.get("shop").stop_count == 1


def test_a_success_ends_a_stop_and_keeps_the_last_error(
    results: RunResults, store: DestinationStore, add: Add, clock: Clock
) -> None:
    shop = add()
    results.record_stop(shop, "no_answer", "Try again later.")
    failed_at = clock.moment
    clock.advance(minutes=5)
    results.record_success(shop)

    recovered = store.get("shop")
    assert (recovered.stopped_at, recovered.stop_count, recovered.retry_at) == (None, 0, None)
    assert (recovered.last_success_at, recovered.last_error_at) == (clock.moment, failed_at)
    assert recovered.last_error == "Try again later."


@pytest.mark.parametrize("change", ["set", "resume", "rotate_token"])
def test_what_the_user_changes_may_be_tried_at_once(
    results: RunResults, store: DestinationStore, add: Add, change: str
) -> None:
    results.record_stop(add(), "unauthorized", "Renew the token.")

    if change == "set":
        store.set("shop", requests_per_minute=10)
    elif change == "resume":
        store.resume("shop")
    else:
        store.rotate_token("shop", AccessToken(TOKEN))

    assert (store.get("shop").retry_at, store.get("shop").stop_count) == (None, 0)
