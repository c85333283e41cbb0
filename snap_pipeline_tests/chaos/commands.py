"""Commands in processes that can be killed, forked from a server that has imported Dagster already."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from snap_pipeline.cli import forget, keys, land, main, prune, run
from snap_pipeline.delivery import batches, dispatch

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
MODULES = (forget, keys, land, prune, run)
"""Modules that the server imports before the first command is forked."""
EVENTS_A_BATCH = 10
LEASE_SECONDS = 3.0
"""Seconds after which the lease of a killed process expires, instead of a minute."""


class Command:
    """A running `snap-pipeline` command.

    Args:
        arguments: of the command line.
        environment: added to that of the process.
    """

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._process: Any = FORKS.Process(target=_run, args=(arguments, environment), daemon=True)
        self._process.start()

    def is_alive(self) -> bool:
        """Tell whether the command still runs."""
        return bool(self._process.is_alive())

    def kill(self) -> bool:
        """Kill the command and all that it has started; return False if it had ended before."""
        alive = self.is_alive()
        with suppress(ProcessLookupError):  # it has not become a group yet
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        return alive

    def wait(self, seconds: float = 120.0) -> int:
        """Wait for the end of the command and return its status."""
        self._process.join(seconds)
        assert not self._process.is_alive(), f"{self._arguments} did not end"
        return int(self._process.exitcode)


def _run(arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
    os.setsid()
    os.environ |= environment
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    batches.MAXIMUM_EVENTS = EVENTS_A_BATCH
    dispatch.acquire = partial(dispatch.acquire, lease_seconds=LEASE_SECONDS, renew_seconds=LEASE_SECONDS / 3)
    main(args=list(arguments))
