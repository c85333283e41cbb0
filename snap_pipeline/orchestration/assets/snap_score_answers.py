"""Snap's own scores, before the marts that show them beside ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from snap_pipeline.destinations.snap_scores import ANSWER_COLUMNS, SCORE_COLUMNS
from snap_pipeline.orchestration.assets.dbt_marts import current_manifest, source_columns
from snap_pipeline.orchestration.assets.hourly_step import OWNERS, schema_of
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings

OFF = "Off: set SNAP_PIPELINE_SNAP_SCORES=true to ask Snap for its own scores once a day."


def build(settings: Settings) -> dg.AssetsDefinition:
    """Build the assets of Snap's answers and of the scores in them; switched off, they do nothing and say so.

    Args:
        settings: of the home; the dbt project describes the columns.
    """
    manifest = current_manifest(settings)

    @dg.multi_asset(
        name="snap_score_answers",
        specs=[
            _spec(
                "snap_score_answers",
                "Snap's answers about its own scores, as they came, of each day.",
                ANSWER_COLUMNS,
                manifest,
            ),
            _spec(
                "snap_scores",
                "Snap's own scores of the last 30 days that were found in its answers.",
                SCORE_COLUMNS,
                manifest,
            ),
        ],
    )
    def snap_score_answers(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        refreshed = pipeline.refresh_snap_scores() if pipeline.settings.snap_scores else None
        answers: dict[str, Any] = {"state": OFF}
        scores: dict[str, Any] = {"state": OFF}
        if refreshed:
            for who, outcome in refreshed.outcomes.items():
                context.log.info(f"{who}: {outcome}")
            answers = {
                **refreshed.outcomes,
                "asked": len(refreshed.outcomes),
                "with_scores": refreshed.with_scores,
                "without_scores": len(refreshed.outcomes) - refreshed.with_scores,
            }
            scores = {"dagster/row_count": refreshed.scores, "answers_not_understood": refreshed.not_understood}
        yield dg.MaterializeResult(asset_key="snap_score_answers", metadata=answers)
        yield dg.MaterializeResult(asset_key="snap_scores", metadata=scores)

    return snap_score_answers


def _spec(name: str, description: str, columns: dict[str, str], manifest: Path) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        description=description,
        group_name="insights",
        kinds={"parquet"},
        owners=OWNERS,
        metadata={"dagster/column_schema": schema_of(columns.items(), source_columns(manifest, name))},
    )
