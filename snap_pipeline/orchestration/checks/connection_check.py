"""Whether Snap takes events of every live destination. Asks Snap, so it runs when somebody presses it."""

import dagster as dg

from snap_pipeline.orchestration.connection_test import connections
from snap_pipeline.pipeline import Pipeline

TAKE_EVENTS = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "destinations_take_events")


def take_events(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Every live destination passes its connection test. No part of the hourly job, whose own requests say as much."""

    @dg.asset_check(
        asset=TAKE_EVENTS.asset_key,
        name=TAKE_EVENTS.name,
        description="Every live destination takes a PAGE_VIEW at Snap's validate endpoint, which counts nothing.",
    )
    def check() -> dg.AssetCheckResult:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        ended = connections(pipeline, live)
        failed = [f"{name}: {connection.words}" for name, connection in ended.items() if not connection.is_good]
        return dg.AssetCheckResult(
            passed=not failed,
            metadata={name: connection.words for name, connection in ended.items()},
            description=" ".join(failed) if live else "No destination is live.",
        )

    return check
