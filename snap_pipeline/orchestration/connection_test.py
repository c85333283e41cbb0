"""The connection test as a Dagster job. It is no asset check, since those run with every run of their asset."""

import dagster as dg
from pydantic import Field

from snap_pipeline.capi.session import ConnectionTestResult
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.pipeline import Pipeline

CONNECTION_JOB = "test_destinations"
CONNECTION_OP = "send_test_events"


class ConnectionTestConfig(dg.Config):
    """Run config of the connection test."""

    destination: str = Field("", description="The name of one destination; empty tests all of them.")


def connection_job(pipeline: Pipeline) -> dg.JobDefinition:
    """Build the job that tests one destination or all; its run fails if a test fails."""

    @dg.op(name=CONNECTION_OP)
    def send_test_events(context: dg.OpExecutionContext, config: ConnectionTestConfig) -> None:
        """Send a PAGE_VIEW to the validate endpoint."""
        store = pipeline.destinations
        tested = [store.get(config.destination)] if config.destination else store.list()
        results = {each.name: _run_test(pipeline, each) for each in tested}
        for name, result in results.items():
            context.log.log("INFO" if result.passed else "ERROR", f"{name}: {result.message}")
        failed = {name: result.message for name, result in results.items() if not result.passed}
        if failed:
            raise dg.Failure("; ".join(f"{name}: {message}" for name, message in failed.items()), allow_retries=False)

    @dg.job(
        name=CONNECTION_JOB,
        executor_def=dg.in_process_executor,
        description="The connection test of every destination, or of the one that the run's config names.",
    )
    def job() -> None:
        send_test_events()

    return job


def _run_test(pipeline: Pipeline, destination: Destination) -> ConnectionTestResult:
    try:
        return pipeline.test_connection(destination)
    except PipelineError as error:  # such as an undecryptable token: the other destinations are tested all the same
        return ConnectionTestResult(False, str(error))
