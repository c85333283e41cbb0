"""A driver of the reconcile sensor and its runs, one tick at a time."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from snap_pipeline.definitions import build_definitions
from snap_pipeline.orchestration import reconcile_sensor
from snap_pipeline.orchestration.jobs import HOURLY_JOB
from snap_pipeline_tests.project import Project


class Net:
    """A driver of the sensor and the run queue, without waits: a tick, then the requested runs."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project, self._cursor = project, None
        self.now = datetime.now(UTC)
        monkeypatch.setattr(reconcile_sensor, "wall_clock", lambda: self.now)

    def tick(self) -> list[tuple[str, bool]]:
        """Run the requested runs; return each request's partition or range, and whether it is for all assets."""
        definitions = build_definitions(self.project.settings)
        context = dg.build_sensor_context(instance=self.project.instance, cursor=self._cursor, definitions=definitions)
        data = definitions.resolve_sensor_def("reconcile").evaluate_tick(context)
        self._cursor = data.cursor
        job = definitions.resolve_job_def(HOURLY_JOB)
        done = []
        for request in data.run_requests or []:
            job.execute_in_process(
                instance=self.project.instance,
                partition_key=request.partition_key,
                tags={name: value for name, value in request.tags.items() if name != "dagster/partition"},
                asset_selection=list(request.asset_selection) if request.asset_selection else None,
                raise_on_error=False,
            )
            first, last = (request.tags.get(f"dagster/asset_partition_range_{end}", "") for end in ("start", "end"))
            done.append((request.partition_key or f"{first}...{last}", request.asset_selection is None))
        return done

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)
