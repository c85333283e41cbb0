"""Processes that only dispatch, forked from a server that has done the imports, so that they start at once."""

import multiprocessing
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from snap_pipeline.delivery import batches, dispatch
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import Settings
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import LEASES

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def start_dispatch(
    settings: Settings,
    hour: datetime,
    answers: Any = None,
    *,
    events_a_batch: int = batches.MAXIMUM_EVENTS,
    lease_wait_seconds: float = 90.0,
) -> Any:
    """Start a process that dispatches an hour to the destination `shop`.

    Args:
        settings: of the home.
        hour: to dispatch.
        answers: a queue that gets the number of requests, and why the hour was skipped.
        events_a_batch: the largest batch.
        lease_wait_seconds: how long it waits for a lease that another process holds.
    """
    arguments = (settings, hour, answers, events_a_batch, lease_wait_seconds)
    process = FORKS.Process(target=_dispatch, args=arguments, daemon=True)
    process.start()
    return process


def take_over_dead_leases(database: Database) -> None:
    """Delete all leases, which otherwise expire after 60 seconds."""
    with database.transaction("default") as connection:
        connection.execute(sa.delete(LEASES))


def _dispatch(settings: Settings, hour: datetime, answers: Any, events_a_batch: int, lease_wait_seconds: float) -> None:
    batches.MAXIMUM_EVENTS = events_a_batch
    dispatch.acquire = partial(dispatch.acquire, wait_seconds=lease_wait_seconds)
    pipeline = Pipeline(settings)
    report = pipeline.dispatcher().dispatch(pipeline.destinations.get("shop"), hour)
    if answers is not None:
        answers.put((report.stats.requests, report.skipped))
