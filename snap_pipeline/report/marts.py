"""What the report says: the marts' rows, by workspace."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import duckdb

from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.views import LakeViews

MARTS = (
    "emq_scores",
    "emq_parameters",
    "emq_coaching",
    "destination_health",
    "accounting",
    "accounting_entries",
    "destinations",
)

Row = Mapping[str, Any]


class MartsMissing(PipelineError):
    """There are no marts to report on, or none that this version can read."""


@dataclass(frozen=True)
class WorkspaceReport:
    """One workspace's rows. What a row holds is said in the query of its name, beside this module."""

    name: str
    scores: Sequence[Row]
    next_steps: Sequence[Row]
    health: Sequence[Row]
    received: Row | None
    """None where no hour of the week was read."""
    deliveries: Sequence[Row]


@dataclass(frozen=True)
class Report:
    """What the marts say of the week that ends at `end`."""

    end: datetime
    workspaces: Sequence[WorkspaceReport]


def read_report(lake: Lake, workspaces: Iterable[str], *, running_hour: datetime) -> Report:
    """Reads the marts.

    Args:
        lake: that holds them.
        workspaces: to report on, in this order.
        running_hour: where the week ends if no event has a score, which would say.

    Raises:
        MartsMissing: the marts were never built, or by a version that gave them other columns.
        LakeError: they cannot be read.
    """
    with lake.connect() as connection:
        views = LakeViews(connection, lake.storage)
        missing = [mart for mart in MARTS if mart not in views.names]
        if missing:
            raise MartsMissing(
                f"There is nothing to report on yet: {lake.storage.location} lacks {', '.join(missing)}. Run "
                "`snap-pipeline insights`, which makes them, and try again."
            )
        views.prepare(" ".join(MARTS))
        end = _week_end(connection) or running_hour.astimezone(UTC).replace(tzinfo=None)
        try:
            tables = {name: _rows(connection, name, end) for name in ("scores", "next_steps", "health", "deliveries")}
            received = {row["workspace"]: row for row in _rows(connection, "received", end)}
        except duckdb.BinderException:
            raise MartsMissing(
                f"The marts in {lake.storage.location} were made by another version of the pipeline. Run "
                "`snap-pipeline insights`, which makes them again, and try again."
            ) from None
    return Report(
        end,
        [
            WorkspaceReport(
                name=workspace,
                received=received.get(workspace),
                **{table: [row for row in rows if row["workspace"] == workspace] for table, rows in tables.items()},
            )
            for workspace in workspaces
        ],
    )


def _week_end(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    row = connection.execute("select max(window_end) from emq_scores").fetchone()
    return row[0] if row else None


def _rows(connection: duckdb.DuckDBPyConnection, name: str, end: datetime) -> list[Row]:
    query = resources.files("snap_pipeline.report").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    result = connection.execute(query, {"week_end": end} if "$week_end" in query else None)
    columns = [column[0] for column in result.description or []]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
