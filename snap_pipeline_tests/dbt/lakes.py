"""A small lake, written with DuckDB as the pipeline writes its own.

The clock stands at 2026-03-03T00:20, so the week is 2026-02-24T00 to 2026-03-02T23 and crosses a month.
"""

from pathlib import Path

import duckdb

TABLES = (
    "parameter_completeness",
    "delivery_requests",
    "delivery_receipts",
    "accounting_entries",
    "destinations",
)
DAILY_MARTS = ("daily_scores", "daily_deliveries", "daily_values")
REPORT_MODELS = (
    *("report_week", "report_scores", "report_parameters", "report_coaching", "report_next_steps"),
    *("report_snap_answers", "report_calibration"),
    *("report_workspace_scores", "report_linking"),
    *("report_destinations", "report_health", "report_failed_requests", "report_error_messages"),
    "report_latest_health",
    *("report_received", "report_deliveries", "report_reasons", "report_backlog"),
    *("report_days", "report_values"),
)
MARTS = (
    "emq_scores",
    "emq_parameters",
    "emq_coaching",
    "destination_health",
    "accounting",
    *DAILY_MARTS,
    *REPORT_MODELS,
)

MATCH_PARAMETERS = (
    *(
        "sc_click_id",
        "em",
        "ph",
        "ip_and_user_agent",
        "client_ip_address",
        "client_user_agent",
        "external_id",
    ),
    *("sc_cookie1", "fn", "ln", "ge", "ct", "st", "zp", "country", "madid", "idfv"),
)
COMMERCE_PARAMETERS = ("value", "currency", "content_ids", "order_id")
EVERY_PARAMETER = dict.fromkeys([*MATCH_PARAMETERS, *COMMERCE_PARAMETERS], 1)

PURCHASE = {
    "sc_click_id": 1,
    "em": 6,
    "ip_and_user_agent": 10,
    "external_id": 4,
    "sc_cookie1": 9,
    "value": 10,
    "currency": 10,
    "order_id": 5,
}
"""How many of ten purchases carry each parameter; the example of docs/match-quality.md."""
CLOSED_GAPS = {
    "sc_click_id": 3,
    "ph": 5,
    "external_id": 8,
    "fn": 5,
    "ln": 5,
    "zp": 5,
    "ct": 5,
    "st": 5,
    "country": 9,
    "ge": 2,
    "content_ids": 10,
    "order_id": 10,
}
"""How many of ten bring each parameter to its target. The workspace `with_<parameter>` has so many, else the same."""


def write(path: Path, query: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"copy ({query}) to '{path}' (format parquet)")


def write_rows(path: Path, columns: str, *rows: str) -> None:
    write(path, f"select * from (values {', '.join(f'({row})' for row in rows)}) as rows ({columns})")


def write_completeness(lake: Path, hour: str, *counts: tuple[str, str, str, int, dict[str, int]]) -> None:
    """Each count: workspace, event name, conversion type, events, and how many carry each parameter.

    One of the e-mail addresses came from another event of its person.
    """
    write_rows(
        lake / "parameter_completeness" / f"hour={hour}" / "data.parquet",
        "workspace, event_name, conversion_type, events, parameter, present, linked",
        *(
            f"'{workspace}', '{event}', '{conversion_type}', {events}, '{name}', {present.get(name, 0)}, "
            f"{min(present.get(name, 0), name == 'em'):d}"
            for workspace, event, conversion_type, events, present in counts
            for name in EVERY_PARAMETER
        ),
    )


def write_small_lake(lake: Path) -> None:
    _write_all_completeness(lake)
    _write_requests(lake)
    _write_receipts(lake)
    write_accounting(lake, delivered=5)


def _write_all_completeness(lake: Path) -> None:
    write_completeness(lake, "2026-02-17T00", ("shop", "LOGIN", "WEB", 1, EVERY_PARAMETER))
    write_completeness(lake, "2026-02-23T23", ("shop", "PURCHASE", "WEB", 4, {"em": 1, "value": 4}))
    purchases = {"shop": PURCHASE} | {f"with_{name}": PURCHASE | {name: n} for name, n in CLOSED_GAPS.items()}
    last_hour = {shop: {name: min(n, 2) for name, n in present.items()} for shop, present in purchases.items()}
    first_hour = {shop: {name: n - min(n, 2) for name, n in present.items()} for shop, present in purchases.items()}
    write_completeness(
        lake, "2026-02-24T00", *((shop, "PURCHASE", "WEB", 8, present) for shop, present in first_hour.items())
    )
    write_completeness(
        lake,
        "2026-03-02T23",
        *((shop, "PURCHASE", "WEB", 2, present) for shop, present in last_hour.items()),
        ("shop", "LOGIN", "WEB", 1, EVERY_PARAMETER),
        ("shop", "SIGN_UP", "WEB", 1, {}),
        ("shop", "SIZE_GUIDE_OPENED", "WEB", 3, {}),
        ("shop", "PURCHASE", "OFFLINE", 2, {}),
        ("shop", "APP_OPEN", "MOBILE_APP", 2, {}),
    )
    running_hour, too_old = "2026-03-03T00", "2026-02-16T23"
    for hour in (running_hour, too_old):
        write_completeness(lake, hour, ("shop", "PURCHASE", "WEB", 1000, {}))


def _write_requests(lake: Path) -> None:
    columns = (
        "request_id, batch_id, workspace, attempt, events, bytes, latency_ms, waited_ms, http_status,"
        " category, message, sent_at"
    )
    write_rows(
        lake / "delivery_requests/hour=2026-03-02T22/destination=d1/a.parquet",
        columns,
        "'r1', 'b1', 'shop', 1, 2, 900, 100.0, 0.0, 200, 'accepted', null, timestamp '2026-03-02 22:59:00'",
        "'r2', 'b2', 'shop', 1, 3, 950, 20.0, 0.0, 429, 'throttled', 'Slow', timestamp '2026-03-02 23:05:00'",
        "'r3', 'b2', 'shop', 2, 3, 950, null, 500.0, null, 'no_answer', 'Time-out', timestamp '2026-03-02 23:05:01'",
        "'r4', 'b2', 'shop', 3, 3, 950, 40.0, 250.0, 200, 'accepted', null, timestamp '2026-03-02 23:05:04'",
        "'r5', 'b3', 'shop', 1, 1, 400, 60.0, 0.0, 200, 'accepted', null, timestamp '2026-03-02 23:06:00'",
    )


def _write_receipts(lake: Path) -> None:
    columns = (
        "event_id, event_name, event_time, workspace, batch_id, outcome, http_status, reason, sent_at, acknowledged_at"
    )
    folder = lake / "delivery_receipts/hour=2026-03-02T22/destination=d1"
    write_rows(
        folder / "a.parquet",
        columns,
        "'e1', 'PURCHASE', timestamp '2026-03-02 23:03:00', 'shop', 'b2', 'rejected', 400, 'bad value',"
        " timestamp '2026-03-02 23:05:00', timestamp '2026-03-02 23:05:00'",
        "'e2', 'PURCHASE', timestamp '2026-03-02 23:03:04', 'shop', 'b2', 'delivered', 200, null,"
        " timestamp '2026-03-02 23:05:04', timestamp '2026-03-02 23:05:04'",
        "'e3', 'PURCHASE', timestamp '2026-03-02 22:00:00', 'shop', 'b2', 'rejected', 400, 'bad value',"
        " timestamp '2026-03-02 23:05:04', timestamp '2026-03-02 23:05:04'",
    )
    # The first event again after a resend: this newer receipt counts.
    write_rows(
        folder / "b.parquet",
        columns,
        "'e1', 'PURCHASE', timestamp '2026-03-02 23:03:00', 'shop', 'b3', 'delivered', 200, null,"
        " timestamp '2026-03-02 23:06:00', timestamp '2026-03-02 23:07:00'",
    )


def write_accounting(lake: Path, *, delivered: int) -> None:
    """Ten events of one hour, six of them conversions; all are accounted for where five are delivered."""
    write_rows(
        lake / "accounting_entries/data.parquet",
        "hour, workspace, destination_id, destination, entry, reason, events",
        "'2026-03-02T22', 'shop', null, null, 'raw', null, 10",
        "'2026-03-02T22', 'shop', null, null, 'excluded', 'internal', 3",
        "'2026-03-02T22', 'shop', null, null, 'excluded', 'consent_denied', 1",
        "'2026-03-02T22', 'shop', null, null, 'payloads', null, 6",
        f"'2026-03-02T22', 'shop', 'd1', 'Main pixel', 'delivered', null, {delivered}",
        "'2026-03-02T22', 'shop', 'd1', 'Main pixel', 'rejected', 'bad value', 1",
    )
    write_rows(
        lake / "destinations/data.parquet",
        "destination_id, name, workspace, api_version, state, since",
        "'d1', 'Main pixel', 'shop', 'v3', 'live', '2026-02-01T00'",
        "'d2', 'New pixel', 'shop', 'v3', 'live', '2026-03-03T00'",
    )
