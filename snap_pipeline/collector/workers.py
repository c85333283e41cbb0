"""The collector's processes: uvicorn, with an application in each worker."""

import logging
import os
from collections.abc import Sequence

import uvicorn

from snap_pipeline.collector.app import Collector
from snap_pipeline.collector.known_keys import KnownKeys
from snap_pipeline.collector.minute_files import MinuteFiles
from snap_pipeline.collector.sources import SourceStore
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.settings import load_settings

PATH_VARIABLE = "SNAP_PIPELINE_COLLECTOR_PATH"
"""The environment variable that hands the path to the worker processes."""
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep idle connections, so that the proxies close them."""
MAXIMUM_CONNECTIONS = 2_000
"""The most connections of a worker, each of which may hold a body in memory; more get 503."""
SHUTDOWN_SECONDS = 10
"""The time that running requests have when the process is told to end."""


def serve(*, host: str, port: int, workers: int, trusted_proxies: Sequence[str], path: str) -> None:
    """Serve until the process is told to end.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        workers: the number of processes.
        trusted_proxies: networks whose `X-Forwarded-For` is believed.
        path: below which sites pass requests on, such as `/_e`.
    """
    os.environ[PATH_VARIABLE] = path
    uvicorn.run(
        "snap_pipeline.collector.workers:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        server_header=False,
        # Uvicorn's own log has query strings and whole addresses.
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=MAXIMUM_CONNECTIONS,
        # A collector that cannot start must not serve.
        lifespan="on",
        ws="none",
    )


def application() -> Collector:
    """Create the application of one worker from the environment.

    Raises:
        PipelineError: a setting or the state database cannot be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load_settings()
    pipeline = Pipeline(settings)
    store = SourceStore(pipeline.database, tuple(pipeline.workspaces))
    files = MinuteFiles(pipeline.landing, settings.now)
    return Collector(files, KnownKeys(store.list), os.environ[PATH_VARIABLE])
