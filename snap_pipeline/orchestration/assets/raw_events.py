"""`raw_events`: every line that landed in the hour's folder, in canonical typed form.

Lines that are not events go to `quarantined_lines` with file, line and reason. An hour without files gives an empty
partition; an hour whose files were deleted later keeps its rows.
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import (
    BACKFILL_POLICY,
    HourResult,
    describe_partition,
    make_hours,
    table_spec,
)
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import quantity


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Build the assets `raw_events` and `quarantined_lines`."""

    @dg.multi_asset(
        name="raw_events",
        specs=[
            table_spec(
                Table.RAW_EVENTS,
                "Every received event of the hour, in canonical typed form, whatever format it landed in.",
                group="events",
                partitions=partitions,
                code_version=pipeline.transformations.version(Table.RAW_EVENTS),
            ),
            table_spec(
                Table.QUARANTINED_LINES,
                "Lines and files that could not be read as events, with file, line number and reason.",
                group="events",
                partitions=partitions,
                code_version=pipeline.transformations.version(Table.RAW_EVENTS),
            ),
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def raw_events(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[HourResult]:
        lake = pipeline.lake

        def make_hour(key: str, hour: datetime) -> None:
            made = make_raw_events(lake, pipeline.landing, hour)
            context.log.info(f"{key}: files: {made.files}, events: {made.rows}, quarantined lines: {made.quarantined}.")
            if made.kept_files:
                context.log.warning(
                    f"{key}: {quantity(made.kept_files, 'file')} no longer in the landing zone; the events that "
                    "were read from there earlier are kept."
                )
            if made.unread_files:
                context.log.warning(
                    f"{key}: {quantity(made.unread_files, 'file')} not read, because the hour was pruned before. Land "
                    "the events in the running hour: `snap-pipeline land`."
                )
            if made.nul_bytes:
                context.log.warning(
                    f"{key}: {quantity(made.nul_bytes, 'NUL byte')} left out. They come from a crash of what writes "
                    "the files or from a disk; lines in which they took the place of text are in quarantined_lines."
                )
            numbers = {
                "files": made.files,
                "files_gone_and_kept": made.kept_files,
                "nul_bytes_left_out": made.nul_bytes,
            }
            numbers |= {f"placeholder/{kind}": events for kind, events in made.placeholder_ids.items()}
            describe_partition(context, lake, Table.RAW_EVENTS, key, made.rows, numbers)
            describe_partition(context, lake, Table.QUARANTINED_LINES, key, made.quarantined)

        yield from make_hours(context, lake, make_hour, Table.RAW_EVENTS, Table.QUARANTINED_LINES)

    return raw_events
