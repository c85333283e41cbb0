"""Asset checks: what Dagster's UI shows beside an asset as holding or not."""

import dagster as dg

from snap_pipeline.connections import connections
from snap_pipeline.pipeline import Pipeline

DESTINATIONS_CHECK = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "destinations_take_events")


def destinations_take_events(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Every live destination passes its connection test. No part of the hourly job, whose own requests say as much."""

    @dg.asset_check(
        asset=DESTINATIONS_CHECK.asset_key,
        name=DESTINATIONS_CHECK.name,
        description="Every live destination takes a PAGE_VIEW at Snap's validate endpoint, which counts nothing.",
    )
    def check() -> dg.AssetCheckResult:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        ended = connections(pipeline, live)
        return dg.AssetCheckResult(
            passed=all(connection.is_good for connection in ended.values()),
            metadata={name: connection.words for name, connection in ended.items()},
            description=None if live else "No destination is live.",
        )

    return check
