"""Destination health and accounting against values computed by hand."""

from pathlib import Path

import pytest

from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import Query, query_on, run_dbt


def health(marts: Query, columns: str, *, grain: str, period: str) -> tuple:
    (row,) = marts(
        f"select {columns} from destination_health"
        f" where destination = 'Main pixel' and grain = '{grain}' and period_start = '{period}'"
    )
    return row


def test_health_counts_the_requests_of_an_hour_by_class(marts: Query) -> None:
    columns = "requests, accepted, success_rate, throttled_rate, no_answer_rate, refused_rate"
    row = health(marts, columns, grain="hour", period="2026-03-02 23:00:00")
    assert row == (4, 2, 0.5, 0.25, 0.25, 0)


def test_health_counts_retries_and_the_time_lost_to_the_rate_limit(marts: Query) -> None:
    row = health(marts, "retries, throttled_ms", grain="hour", period="2026-03-02 23:00:00")
    assert row == (2, 750)


def test_latency_is_of_the_requests_that_got_an_answer(marts: Query) -> None:
    columns = "latency_mean_ms, latency_p50_ms, latency_p95_ms, latency_p99_ms"
    row = health(marts, columns, grain="hour", period="2026-03-02 23:00:00")
    assert row == pytest.approx((40, 40, 58, 59.6))


def test_a_day_sums_up_its_hours(marts: Query) -> None:
    columns = "requests, accepted, latency_mean_ms, events_sent, bytes_sent, delivered, rejected"
    assert health(marts, columns, grain="day", period="2026-03-02 00:00:00") == (5, 3, 55, 12, 4150, 2, 1)


def test_the_newest_error_is_shown(marts: Query) -> None:
    columns = "latest_error_at::varchar, latest_error_category, latest_error_message"
    row = health(marts, columns, grain="hour", period="2026-03-02 23:00:00")
    assert row == ("2026-03-02 23:05:01", "no_answer", "Time-out")
    assert health(marts, columns, grain="hour", period="2026-03-02 22:00:00") == (None, None, None)


def test_an_event_that_was_resent_counts_once_by_its_newest_receipt(marts: Query) -> None:
    columns = "delivered, rejected, rejected_rate, lag_mean_seconds, lag_p95_seconds"
    row = health(marts, columns, grain="hour", period="2026-03-02 23:00:00")
    assert row == pytest.approx((2, 1, 1 / 3, 180, 234))


def test_an_hour_is_accounted_for_at_each_destination_that_it_is_owed_to(marts: Query) -> None:
    rows = marts("select destination, raw, excluded, payloads, delivered, rejected, pending from accounting")
    assert rows == [("Main pixel", 10, 4, 6, 5, 1, 0)]
    assert marts("select unaccounted_raw, unaccounted_payloads from accounting") == [(0, 0)]


def test_a_lost_event_fails_the_build_and_shows_in_the_mart(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lakes.write_accounting(lake, delivered=4)
    build = run_dbt(lake, "build", "--select", "+accounting")
    assert build.returncode == 1
    assert "FAIL 1 accounting_unaccounted_payloads_is_0" in build.stdout
    assert query_on(lake)("select unaccounted_payloads from accounting") == [(1,)]
