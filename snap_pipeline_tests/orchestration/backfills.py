"""Asset backfills as the UI starts them. Dagster's daemon and their runs are in the test's own process."""

import logging
import sys
from collections.abc import Sequence
from datetime import datetime

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.backfill import execute_backfill_iteration

from benchmarks.daemon import CHAIN, launch
from snap_pipeline_tests.project import Project, key

INSTANCE = {
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}
"""Settings of an instance that executes a run as soon as the daemon asks for it."""


def backfill(project: Project, name: str, hours: Sequence[datetime], assets: Sequence[str] = CHAIN) -> BulkActionStatus:
    """Run a backfill to its end on the project's instance, and return its status.

    The code location is that of the environment.
    """
    launch(project.instance, project.settings, name, hours, assets)
    # Dagster loads a code location once in a process, unless its working directory is another one.
    folder = str(project.settings.home.absolute())
    target = LoadableTargetOrigin(
        module_name="snap_pipeline.definitions", working_directory=folder, executable_path=sys.executable
    )
    location = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(target, location_name="snap_pipeline"))
    with WorkspaceProcessContext(project.instance, location) as context:
        for _ in range(10):
            assert not any(execute_backfill_iteration(context, logging.getLogger(__name__)))
            found = project.instance.get_backfill(name)
            if found and found.status is not BulkActionStatus.REQUESTED:
                return found.status
    pytest.fail("the backfill does not end")


def statuses(project: Project, table: str, hours: Sequence[datetime], partitions: dg.PartitionsDefinition[str]) -> str:
    """Return an initial for each hour of a table, as the UI colours it: m(aterialized), f(ailed) or - (missing)."""
    keys = [key(hour) for hour in hours]
    found = project.instance.get_status_by_partition(dg.AssetKey(table), keys, partitions) or {}
    return "".join(status.value[0].lower() if (status := found[each]) else "-" for each in keys)
