"""The rows that the report shows: the dbt models `report_*`, sorted into workspaces and the sections of the page.

All counting, filtering and ranking is SQL in `dbt_project/models/report/`. This module only nests rows below the rows
that they belong to.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import duckdb

from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.views import LakeViews

ORDER: Mapping[str, str] = {
    "report_week": "week_end",
    "report_scores": "position",
    "report_parameters": "position",
    "report_coaching": "rank",
    "report_next_steps": "position",
    "report_destinations": "destination",
    "report_health": "period_start",
    "report_failed_requests": "position",
    "report_error_messages": "position",
    "report_received": "period_start",
    "report_deliveries": "destination, period_start",
    "report_reasons": "position",
    "report_days": "day",
    "report_values": "destination, currency",
}
"""All models that the report reads, with the columns that order their rows."""

EVENT = ("workspace", "event_name", "conversion_type")

Row = dict[str, Any]


class MartsMissing(PipelineError):
    """A lake without marts to report on, or with marts that this version cannot read."""


class MartsOutdated(MartsMissing):
    """Marts without a column that the report shows."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The marts were built by another version of the pipeline ({reason}). Rebuild them with "
            "`snap-pipeline insights`, then try again."
        )


@dataclass(frozen=True)
class WorkspaceReport:
    """The rows of one workspace, one attribute for each section of the page.

    Attributes:
        name: the workspace.
        scores: its events, each with its `parameters` and `coaching`.
        next_steps: its parameters below target, each with the `events` that lack it.
        destinations: the health of each, with its `days`, `hours`, `failures` and `errors`.
        received: the lines that landed in the week, with `days` and `reasons`; None if no hour of the week was read.
        deliveries: the accounting of each destination, with its `days`, `hours`, `reasons` and `values`.
        days: the last two weeks, for sparklines.
    """

    name: str
    scores: Sequence[Row]
    next_steps: Sequence[Row]
    destinations: Sequence[Row]
    received: Row | None
    deliveries: Sequence[Row]
    days: Sequence[Row]

    @property
    def is_empty(self) -> bool:
        """Tell whether no event of the week was read."""
        return not (self.scores or self.received or self.deliveries)


@dataclass(frozen=True)
class Report:
    """The rows of the marts about a week of closed hours, `end` excluded."""

    start: datetime
    end: datetime
    workspaces: Sequence[WorkspaceReport]


def read_report(lake: Lake, workspaces: Iterable[str]) -> Report:
    """Read the marts.

    Args:
        lake: that holds the marts.
        workspaces: to report on, in this order.

    Raises:
        MartsMissing: the marts were never built, or by a version without some of them.
        MartsOutdated: a version with other columns built the marts.
        LakeError: the marts cannot be read.
    """
    try:
        rows = _read(lake)
        sections = {
            "scores": _by_workspace(_scores(rows)),
            "next_steps": _by_workspace(_next_steps(rows)),
            "destinations": _by_workspace(_destinations(rows)),
            "deliveries": _by_workspace(_deliveries(rows)),
            "days": _by_workspace(rows["report_days"]),
        }
        received = {row["workspace"]: row for row in _received(rows)}
    except (duckdb.BinderException, KeyError) as error:
        raise MartsOutdated(str(error).splitlines()[0]) from None
    week = rows["report_week"][0]
    return Report(
        week["week_start"].replace(tzinfo=UTC),
        week["week_end"].replace(tzinfo=UTC),
        [
            WorkspaceReport(
                name=workspace,
                received=received.get(workspace),
                **{name: section[workspace] for name, section in sections.items()},
            )
            for workspace in workspaces
        ],
    )


def _read(lake: Lake) -> dict[str, list[Row]]:
    with lake.connect() as connection:
        views = LakeViews(connection, lake.storage)
        if missing := [model for model in ORDER if model not in views.names]:
            raise MartsMissing(
                f"There is nothing to report on yet: {lake.storage.location} lacks {', '.join(missing)}. Build "
                "them with `snap-pipeline insights`, then try again."
            )
        views.prepare(" ".join(ORDER))
        rows = {}
        for model, order in ORDER.items():
            result = connection.execute(f"from {model} order by {order}")
            columns = [column[0] for column in result.description or ()]
            rows[model] = [dict(zip(columns, values, strict=True)) for values in result.fetchall()]
        return rows


def _scores(rows: Mapping[str, list[Row]]) -> list[Row]:
    scores = rows["report_scores"]
    _attach(scores, "parameters", rows["report_parameters"], by=EVENT)
    _attach(scores, "coaching", rows["report_coaching"], by=EVENT)
    return scores


def _next_steps(rows: Mapping[str, list[Row]]) -> list[Row]:
    steps = rows["report_next_steps"]
    events = sorted(rows["report_coaching"], key=itemgetter("position_in_step"))
    _attach(steps, "events", events, by=("workspace", "parameter", "advice"))
    return steps


def _destinations(rows: Mapping[str, list[Row]]) -> list[Row]:
    destinations, health, failures = rows["report_destinations"], rows["report_health"], rows["report_failed_requests"]
    days = _of_grain("day", health)
    _attach(days, "failures", _of_grain("day", failures), by=("destination_id", "period_start"))
    _attach(destinations, "days", days, by=("destination_id",))
    _attach(destinations, "hours", _of_grain("hour", health), by=("destination_id",))
    _attach(destinations, "failures", _of_grain("week", failures), by=("destination_id",))
    _attach(destinations, "errors", rows["report_error_messages"], by=("destination_id",))
    return destinations


def _received(rows: Mapping[str, list[Row]]) -> list[Row]:
    weeks = _of_grain("week", rows["report_received"])
    before_delivery = [row for row in rows["report_reasons"] if row["destination_id"] is None]
    _attach(weeks, "days", _of_grain("day", rows["report_received"]), by=("workspace",))
    _attach(weeks, "reasons", before_delivery, by=("workspace",))
    return weeks


def _deliveries(rows: Mapping[str, list[Row]]) -> list[Row]:
    weeks = _of_grain("week", rows["report_deliveries"])
    for name in ("day", "hour"):
        _attach(weeks, f"{name}s", _of_grain(name, rows["report_deliveries"]), by=("destination_id",))
    _attach(weeks, "reasons", rows["report_reasons"], by=("destination_id",))
    _attach(weeks, "values", rows["report_values"], by=("destination_id",))
    return weeks


def _of_grain(grain: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["grain"] == grain]


def _by_workspace(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    workspaces: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        workspaces[row["workspace"]].append(row)
    return workspaces


def _attach(parents: Iterable[Row], name: str, children: Iterable[Row], *, by: Sequence[str]) -> None:
    """Add to each parent the list of children with the same values in the columns `by`, in the children's order."""
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for child in children:
        groups[tuple(child[column] for column in by)].append(child)
    for parent in parents:
        parent[name] = groups[tuple(parent[column] for column in by)]
