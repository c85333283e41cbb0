"""Metadata of the marts in Dagster: numbers, which the UI plots over time, and tables.

All of it is about workspaces and destinations, never about a person or an event. The queries only select and round
columns; all computation is SQL of the dbt project.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart as mart_key

TABLE_ROWS = 20
"""The most rows of a table in the UI; the mart has the rest."""

MACROS = """
    -- Whole percents, which are 0 or 100 only where the share is exactly that.
    create macro percent(share) as
        case
            when share > 0 and share < 1 then greatest(least(round(100 * share), 99), 1)
            else round(100 * share)
        end::integer;
    create macro percent_text(share) as percent(share) || ' %';
    create macro points(score) as format('{:.1f}', score);
    create macro money(amount) as format('{:,.2f}', amount);
"""

NUMBERS: Mapping[str, str] = {
    "report_workspace_scores": """
        select
            workspace as subject, round(score, 1) as score, percent(click_id) / 100 as click_id,
            percent(email) / 100 as email
        from mart
    """,
    "report_latest_health": """
        select
            destination as subject, percent(success_rate) / 100 as success_rate,
            round(latency_p95_ms) as latency_p95_ms, round(lag_p95_seconds) as lag_p95_seconds
        from mart
    """,
    "report_backlog": "select destination as subject, pending, in_doubt, withdrawn from mart",
}
"""Queries by mart for plotted numbers; `subject` is the workspace or destination of a row."""

TABLES: Mapping[str, str] = {
    "emq_scores": """
        select
            workspace, event_name as event, conversion_type as type, events, points(score) as score, trend,
            percent_text(click_id) as "click id", percent_text(email) as "e-mail", percent_text(phone) as phone
        from mart
        order by events desc
    """,
    "emq_coaching": """
        select
            workspace, event_name as event, conversion_type as type, parameter,
            percent_text(completeness) as completeness, points(gain) as gain, advice
        from mart
        order by step_position, workspace, weighted_gain desc
    """,
    "destination_health": """
        select
            destination, period_start::date as day, requests, percent_text(success_rate) as "success rate",
            round(latency_p50_ms)::bigint as "p50 ms", round(latency_p95_ms)::bigint as "p95 ms",
            round(latency_p99_ms)::bigint as "p99 ms", round(lag_p95_seconds / 60)::bigint as "lag p95 min",
            delivered, rejected, retries, latest_error_category as "latest error"
        from mart
        where grain = 'day'
        order by period_start desc, destination
    """,
    "daily_scores": """
        select
            workspace, day, conversions, points(score) as score, percent_text(click_id) as "click id",
            percent_text(email) as "e-mail", percent_text(phone) as phone
        from mart
        order by day desc, workspace
    """,
    "daily_deliveries": """
        select destination, day, conversions, delivered, waiting, lost
        from mart
        order by day desc, destination
    """,
    "daily_values": """
        select
            destination, day, currency, money(delivered) as delivered, money(waiting) as waiting, money(lost) as lost
        from mart
        order by day desc, destination, currency
    """,
}
"""Queries by mart for the table in the UI: scores to one decimal, whole percents, money to two decimals."""


def describe_mart(lake: Lake, mart: str) -> dict[str, Any]:
    """Return the metadata of a mart's materialization, read from its file; empty for a model that has no file.

    Numbers are called `<workspace or destination>/<name>`.
    """
    key = mart_key(mart)
    if not lake.storage.exists(key):
        return {}
    metadata: dict[str, Any] = {"dagster/uri": str(lake.storage.path(key))}
    numbers, table = NUMBERS.get(mart), TABLES.get(mart)
    with lake.connect() as connection:
        connection.execute(MACROS)
        connection.execute(f"create view mart as from {lake.storage.scan([key])}")
        metadata["dagster/row_count"] = _rows(connection, "select count(*) from mart")[1][0][0]
        if numbers:
            measured = connection.sql(numbers).df().set_index("subject").stack().dropna().astype(float)
            metadata |= {f"{subject}/{name}": value for (subject, name), value in measured.to_dict().items()}
        if table:
            metadata["table"] = dg.MetadataValue.md(markdown(*_rows(connection, f"{table} limit {TABLE_ROWS}")))
    return metadata


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Format a table in Markdown, with the bars within values escaped."""

    def line(values: Sequence[Any]) -> str:
        cells = ("" if value is None else str(value).replace("|", "\\|").replace("\n", " ") for value in values)
        return f"| {' | '.join(cells)} |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, rows)])


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(query)
    return [column[0] for column in cursor.description or ()], cursor.fetchall()
