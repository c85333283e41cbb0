"""`filtered_events`: the events that are conversions, with their Snap event name and conversion type.

The person behind an event, their consent and their identifiers come from the identity links of the trailing window.
All other events go to `excluded_events`, each with exactly one reason.
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from snap_pipeline.lake.storage import Table
from snap_pipeline.orchestration.assets.hourly_step import (
    BACKFILL_POLICY,
    HourResult,
    describe_partition,
    make_hours,
    table_spec,
)
from snap_pipeline.pipeline import Pipeline


def build(pipeline: Pipeline, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Build the assets `filtered_events` and `excluded_events`."""
    version = pipeline.transformations.version(Table.FILTERED_EVENTS)

    @dg.multi_asset(
        name="filtered_events",
        specs=[
            table_spec(
                Table.FILTERED_EVENTS,
                "Events that are conversions: mapped to Snap's names, classified WEB, MOBILE_APP or OFFLINE.",
                group="events",
                partitions=partitions,
                deps=[Table.RAW_EVENTS, Table.IDENTITY_LINKS],
                code_version=version,
            ),
            table_spec(
                Table.EXCLUDED_EVENTS,
                "Events that are not sent, each with one reason: internal, duplicate, no consent, no time …",
                group="events",
                partitions=partitions,
                deps=[Table.RAW_EVENTS, Table.IDENTITY_LINKS],
                code_version=version,
            ),
        ],
        can_subset=True,
        backfill_policy=BACKFILL_POLICY,
    )
    def filtered_events(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[HourResult]:
        lake = pipeline.lake
        for warning in pipeline.mappings.warnings():
            context.log.warning(warning)

        def make_hour(key: str, hour: datetime) -> None:
            made = pipeline.transformations.make_filtered_events(hour)
            numbers = {
                "earlier_hours_linked_first": made.made_links,
                "unread_consents": made.unread_consents,
                "people_set_aside": made.people_set_aside,
                **{f"unknown_word/{word}": events for word, events in made.unknown_words.items()},
            }
            describe_partition(context, lake, Table.FILTERED_EVENTS, key, made.kept, numbers)
            reasons = {f"excluded/{reason}": events for reason, events in made.excluded.items()}
            describe_partition(context, lake, Table.EXCLUDED_EVENTS, key, sum(made.excluded.values()), reasons)

        yield from make_hours(context, lake, make_hour, Table.FILTERED_EVENTS, Table.EXCLUDED_EVENTS)

    return filtered_events
