"""What Dagster shows of the marts: numbers, which it plots over time, and tables.

By workspace and destination; never of a person or an event.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart as mart_key

TABLE_ROWS = 20
"""Of a table in the UI; the mart has the rest."""

EMQ_NUMBERS = """
    select
        workspace as subject,
        sum(score * events) / sum(events) as score,
        sum(click_id * events) / sum(events) filter (where click_id is not null) as click_id,
        sum(email * events) / sum(events) filter (where email is not null) as email
    from mart
    group by workspace
"""

EMQ_TABLE = """
    select
        workspace, event_name as event, conversion_type as type, events, round(score, 1) as score, trend,
        round(click_id, 2) as "click id", round(email, 2) as "e-mail", round(phone, 2) as phone
    from mart
    order by events desc
"""

COACHING_TABLE = """
    select
        workspace, event_name as event, conversion_type as type, parameter, round(completeness, 2) as completeness,
        round(gain, 1) as gain, advice
    from mart
    order by gain * events desc
"""

HEALTH_NUMBERS = """
    select destination as subject, success_rate, latency_p95_ms, lag_p95_seconds
    from mart
    where grain = 'hour'
    qualify row_number() over (partition by destination order by period_start desc) = 1
"""

HEALTH_TABLE = """
    select
        destination, period_start::date as day, requests, round(success_rate, 3) as "success rate",
        round(latency_p50_ms) as "p50 ms", round(latency_p95_ms) as "p95 ms", round(latency_p99_ms) as "p99 ms",
        round(lag_p95_seconds / 60) as "lag p95 min", delivered, rejected, retries,
        latest_error_category as "latest error"
    from mart
    where grain = 'day'
    order by period_start desc, destination
"""

ACCOUNTING_NUMBERS = """
    select destination as subject, sum(pending) as pending, sum(in_doubt) as in_doubt, sum(withdrawn) as withdrawn
    from mart
    where destination is not null
    group by destination
"""

QUERIES: Mapping[str, tuple[str | None, str | None]] = {
    "emq_scores": (EMQ_NUMBERS, EMQ_TABLE),
    "emq_coaching": (None, COACHING_TABLE),
    "destination_health": (HEALTH_NUMBERS, HEALTH_TABLE),
    "accounting": (ACCOUNTING_NUMBERS, None),
}
"""Numbers and table of each mart that has any."""


def describe_mart(lake: Lake, mart: str) -> dict[str, Any]:
    """Metadata of a mart's materialization, read from its file; nothing of what is no mart.

    Numbers are called `<workspace or destination>/<name>`. The health's are of the last hour with requests.
    """
    key = mart_key(mart)
    if not lake.storage.exists(key):
        return {}
    metadata: dict[str, Any] = {"dagster/uri": str(lake.storage.path(key))}
    numbers, table = QUERIES.get(mart, (None, None))
    with lake.connect() as connection:
        connection.execute(f"create view mart as from {lake.storage.scan([key])}")
        metadata["dagster/row_count"] = _rows(connection, "select count(*) from mart")[1][0][0]
        if numbers:
            measured = connection.sql(numbers).df().set_index("subject").stack().dropna().astype(float)
            metadata |= {f"{subject}/{name}": value for (subject, name), value in measured.to_dict().items()}
        if table:
            metadata["table"] = dg.MetadataValue.md(markdown(*_rows(connection, f"{table} limit {TABLE_ROWS}")))
    return metadata


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown; a bar within a value does not end its cell."""

    def line(values: Sequence[Any]) -> str:
        cells = ("" if value is None else str(value).replace("|", "\\|").replace("\n", " ") for value in values)
        return f"| {' | '.join(cells)} |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, rows)])


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(query)
    return [column[0] for column in cursor.description or ()], cursor.fetchall()
