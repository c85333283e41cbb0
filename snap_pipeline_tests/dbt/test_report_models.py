"""The report models against values computed by hand; the report, the command line and Dagster read nothing else."""

import re
from datetime import datetime
from pathlib import Path

import pytest

import snap_pipeline
from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import Query, query_on, run_dbt

READERS = ("report/marts.py", "cli/insights.py", "orchestration/assets/mart_metadata.py")
COMPUTATION = re.compile(r"\bgroup by\b|\bjoin [a-z]|\bqualify\b|\bover \(|\b(?:sum|avg|max|min|list)\(", re.IGNORECASE)


def test_the_week_ends_with_the_last_closed_hour_by_the_clock_of_the_build(marts: Query) -> None:
    assert marts("from report_week") == [(datetime(2026, 2, 24), datetime(2026, 3, 3))]


def test_purchases_come_first_then_the_events_with_most_conversions(marts: Query) -> None:
    rows = marts("select event_name, events from report_scores where workspace = 'shop' order by position")
    assert rows == [
        ("PURCHASE", 10),
        ("PURCHASE", 2),
        ("SIZE_GUIDE_OPENED", 3),
        ("APP_OPEN", 2),
        ("LOGIN", 1),
        ("SIGN_UP", 1),
    ]


def test_parameters_without_weight_are_not_shown(marts: Query) -> None:
    names = {name for (name,) in marts("select parameter from report_parameters")}
    assert "ip_and_user_agent" in names
    assert not names & {"client_ip_address", "client_user_agent"}


def test_a_step_lists_purchases_before_events_that_gain_more(marts: Query) -> None:
    rows = marts(
        "select event_name from report_coaching where workspace = 'shop' and parameter = 'ph'"
        " and conversion_type = 'WEB' order by position_in_step"
    )
    assert rows == [("PURCHASE",), ("SIGN_UP",), ("SIZE_GUIDE_OPENED",)]


def test_the_ranking_weighs_purchases_above_page_views_and_leaves_few_events_out(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lakes.write_completeness(
        lake,
        "2026-03-02T22",
        ("shop", "PURCHASE", "WEB", 50, lakes.EVERY_PARAMETER | dict.fromkeys(lakes.EVERY_PARAMETER, 50) | {"em": 0}),
        ("shop", "PAGE_VIEW", "WEB", 1000, dict.fromkeys(lakes.EVERY_PARAMETER, 1000) | {"sc_click_id": 0}),
        ("shop", "ODD_EVENT", "WEB", 9, dict.fromkeys(lakes.EVERY_PARAMETER, 9) | {"ph": 0}),
    )
    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    build = run_dbt(lake, "build", "--select", "+report_next_steps", *without_tests)
    assert build.returncode == 0, build.stdout
    steps = query_on(lake)("select parameter, event_name, average_gain from report_next_steps order by position")
    ranked = query_on(lake)("select parameter, step_position from emq_coaching order by step_position")
    assert ranked == [("em", 1), ("sc_click_id", 2), ("ph", None)]
    page_views = 50 * 100 + 1000
    assert [step[:2] for step in steps] == [("em", "PURCHASE"), ("sc_click_id", "PAGE_VIEW")]
    assert [step[2] for step in steps] == pytest.approx([2 * 50 * 100 / page_views, 2.8 * 1000 / page_views])


def test_advice_is_given_by_conversion_type(marts: Query) -> None:
    rows = dict(marts("select conversion_type, advice from emq_coaching where workspace = 'shop' and parameter = 'ph'"))
    assert rows.keys() == {"WEB", "MOBILE_APP", "OFFLINE"}
    assert len(set(rows.values())) == 3


def test_a_workspace_has_the_mean_score_of_its_conversions(marts: Query) -> None:
    scores = marts("select events, score from emq_scores where workspace = 'shop'")
    mean = sum(events * score for events, score in scores) / sum(events for events, _ in scores)
    ((score, click_id),) = marts("select score, click_id from report_workspace_scores where workspace = 'shop'")
    # Of the 15 conversions on the web, a purchase and a log-in carry a click id.
    assert (score, click_id) == pytest.approx((mean, 2 / 15))


def test_linking_is_counted_over_the_purchases_of_the_week(marts: Query) -> None:
    rows = {row[0]: row[1:] for row in marts("from report_linking")}
    purchases = 10 * (1 + len(lakes.CLOSED_GAPS)) + 2
    linked, carried = 2 * (1 + len(lakes.CLOSED_GAPS)), 6 * (1 + len(lakes.CLOSED_GAPS))
    assert rows["em"] == pytest.approx(((carried - linked) / purchases, carried / purchases))
    assert rows.keys() == {"sc_click_id", "em", "ph"}


def test_failed_requests_are_counted_by_day_and_over_the_week(marts: Query) -> None:
    rows = marts("select grain, category, requests from report_failed_requests order by all")
    assert rows == [(grain, category, 1) for grain in ("day", "week") for category in ("no_answer", "throttled")]


def test_the_newest_error_comes_first(marts: Query) -> None:
    assert marts("select category, message, position from report_error_messages") == [("no_answer", "Time-out", 1)]


def test_a_destination_without_requests_is_shown_unless_it_was_removed(marts: Query) -> None:
    rows = marts("select destination, requests, success_rate from report_destinations order by destination")
    assert rows == [("Main pixel", 5, 0.6), ("New pixel", 0, None)]


def test_the_last_hours_have_their_place_in_the_chart(marts: Query) -> None:
    rows = marts("select chart_slot, requests, failed from report_health where grain = 'hour' order by chart_slot")
    assert rows == [(46, 1, 0), (47, 4, 2)]
    assert marts("select chart_slot from report_deliveries where grain = 'hour'") == [(166,)]


def test_the_newest_hour_of_a_destination_is_its_latest_health(marts: Query) -> None:
    rows = marts("select destination, period_start, success_rate from report_latest_health")
    assert rows == [("Main pixel", datetime(2026, 3, 2, 23), 0.5)]


def test_what_an_hour_received_counts_once_however_many_destinations_there_are(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lakes.write_accounting(lake, delivered=5)
    lakes.write_rows(
        lake / "destinations/data.parquet",
        "destination_id, name, workspace, api_version, state, since",
        "'d1', 'Main pixel', 'shop', 'v3', 'live', '2026-02-01T00'",
        "'d2', 'Second pixel', 'shop', 'v3', 'live', '2026-02-01T00'",
    )
    build = run_dbt(lake, "run", "--select", "+report_received", "+report_deliveries", "+report_backlog")
    assert build.returncode == 0, build.stdout
    marts = query_on(lake)
    received = marts("select grain, raw, excluded, payloads from report_received order by grain")
    assert received == [("day", 10, 4, 6), ("week", 10, 4, 6)]
    weeks = marts(
        "select destination, delivered, not_delivered, waiting, unaccounted from report_deliveries"
        " where grain = 'week' order by destination"
    )
    assert weeks == [("Main pixel", 5, 1, 0, 0), ("Second pixel", 0, 0, 0, 6)]
    assert marts("select destination, pending from report_backlog") == [("Main pixel", 0), ("Second pixel", 0)]


def test_reasons_are_ranked_before_delivery_and_for_each_destination(marts: Query) -> None:
    rows = marts(
        "select destination_id, reason, events, position from report_reasons order by destination_id, position"
    )
    assert sorted(rows, key=str) == sorted(
        [(None, "internal", 3, 1), (None, "consent_denied", 1, 2), ("d1", "bad value", 1, 1)], key=str
    )


def test_readers_pick_columns_of_the_marts_and_compute_nothing() -> None:
    package = Path(snap_pipeline.__file__).parent
    assert not list((package / "report").rglob("*.sql"))
    for reader in READERS:
        assert not COMPUTATION.search((package / reader).read_text()), reader
