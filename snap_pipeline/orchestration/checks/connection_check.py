"""The connection test as an asset check. It sends requests to Snap, so it runs only when started by hand."""

import dagster as dg

from snap_pipeline.orchestration.connection_test import run_connection_tests
from snap_pipeline.pipeline import Pipeline

DESTINATIONS_TAKE_EVENTS = dg.AssetCheckKey(dg.AssetKey("dispatched_batches"), "destinations_take_events")


def destinations_take_events(pipeline: Pipeline) -> dg.AssetChecksDefinition:
    """Check that every live destination passes its connection test.

    It is not part of the hourly job, whose own requests show the same.
    """

    @dg.asset_check(
        asset=DESTINATIONS_TAKE_EVENTS.asset_key,
        name=DESTINATIONS_TAKE_EVENTS.name,
        description="Snap's validate endpoint, which counts nothing, accepts a PAGE_VIEW of every live destination.",
    )
    def check() -> dg.AssetCheckResult:
        live = [each for each in pipeline.destinations.list() if each.state == "live"]
        results = run_connection_tests(pipeline, live)
        failed = [f"{name}: {result.message}" for name, result in results.items() if not result.passed]
        return dg.AssetCheckResult(
            passed=not failed,
            metadata={name: result.message for name, result in results.items()},
            description=" ".join(failed) if live else "No destination is live.",
        )

    return check
