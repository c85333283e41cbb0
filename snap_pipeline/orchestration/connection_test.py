"""The connection test in Dagster: a job that can be pressed in the UI. As an asset check it is in `checks.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg
from pydantic import Field

from snap_pipeline.capi.answers import Category
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.pipeline import Pipeline

CONNECTION_JOB = "test_destinations"
CONNECTION_OP = "send_test_events"


@dataclass(frozen=True)
class Connection:
    """How a destination's connection test ended, with what to do where it failed."""

    is_good: bool
    words: str


class WhichDestination(dg.Config):
    """What the job's run may choose."""

    destination: str = Field("", description="The name of one; empty stands for all of them.")


def connections(pipeline: Pipeline, destinations: Iterable[Destination]) -> Mapping[str, Connection]:
    """Sends each destination a PAGE_VIEW that is not counted, and says by name how that ended."""
    return {each.name: _connection(pipeline, each) for each in destinations}


def connection_job(pipeline: Pipeline) -> dg.JobDefinition:
    """Tests one destination or all; the run fails where one test does."""

    @dg.op(name=CONNECTION_OP)
    def send_test_events(context: dg.OpExecutionContext, config: WhichDestination) -> None:
        """Sends a PAGE_VIEW to the validate endpoint."""
        store = pipeline.destinations
        ended = connections(pipeline, [store.get(config.destination)] if config.destination else store.list())
        for name, connection in ended.items():
            context.log.log("INFO" if connection.is_good else "ERROR", f"{name}: {connection.words}")
        failed = {name: connection.words for name, connection in ended.items() if not connection.is_good}
        if failed:
            raise dg.Failure("; ".join(f"{name}: {words}" for name, words in failed.items()), allow_retries=False)

    @dg.job(
        name=CONNECTION_JOB,
        executor_def=dg.in_process_executor,
        description="The connection test of every destination, or of the one that the run's config names.",
    )
    def job() -> None:
        send_test_events()

    return job


def _connection(pipeline: Pipeline, destination: Destination) -> Connection:
    try:
        answer = pipeline.session(destination).test(destination.pixel_id)
    except PipelineError as error:  # such as a token under another key: the other destinations are tested all the same
        return Connection(False, str(error))
    if answer.category is Category.ACCEPTED:
        return Connection(True, f"Connection test successful ({answer.latency_ms:.0f} ms).")
    return Connection(False, answer.explanation)
