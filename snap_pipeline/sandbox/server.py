"""The sandbox server: the application, and functions to run it in this process or in a process of its own."""

import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, cast

import click
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from snap_pipeline.errors import PipelineError
from snap_pipeline.sandbox import control, endpoints
from snap_pipeline.sandbox.sandbox import Sandbox, SandboxOptions

DEFAULT_PORT = 8765
SHUTDOWN_SECONDS = 1
"""The time in which open requests, also delayed ones, may finish."""


class SandboxError(PipelineError):
    """A failure to start the sandbox."""


def create_app(options: SandboxOptions | None = None, fixed_now: datetime | None = None) -> Starlette:
    """Create the application, with an empty store.

    Args:
        options: tokens, assets, optional checks and the permanent fault.
        fixed_now: the clock of age checks and deduplication; None is real time.
    """
    app = Starlette(routes=[*endpoints.routes(), *control.routes()])
    app.state.sandbox = Sandbox(options or SandboxOptions(), fixed_now)
    return app


class _DroppableProtocol(HttpToolsProtocol):
    """A protocol that passes each request its connection, since ASGI cannot close it without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # uvicorn's type of a scope has no extensions of ours.
        scope = cast("dict[str, object]", self.scope)
        scope["extensions"] = {endpoints.TRANSPORT: self.transport}


def run(
    port: int = DEFAULT_PORT,
    options: SandboxOptions | None = None,
    *,
    host: str = "127.0.0.1",
    fixed_now: datetime | None = None,
    stop_with_standard_input: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; print the base URL to standard output once connections are accepted.

    Args:
        port: 0 means a free one.
        options: as for `create_app`.
        host: the address to listen on.
        fixed_now: as for `create_app`.
        stop_with_standard_input: stop when standard input ends, and so with the process that holds it.

    Raises:
        SandboxError: the port cannot be used.
    """
    try:
        listener = socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port} ({error.strerror}). Choose another --port."
        ) from None
    config = uvicorn.Config(
        create_app(options, fixed_now),
        http=_DroppableProtocol,
        log_level="warning",
        # The request line contains v3's token.
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    if stop_with_standard_input:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    # Decoded batches have no reference cycles, so the garbage collector only costs time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    click.echo(f"Sandbox of Snap's Conversions API at http://{host}:{listener.getsockname()[1]}")
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while os.read(0, 1024):
        pass
    server.should_exit = True


class SandboxServer:
    """A sandbox in a process of its own, which ends with this process, even if that is killed.

    Attributes:
        url: the base URL, once started.

    Args:
        arguments: of the `sandbox` command, such as `"--token", "secret"`.
        now: the sandbox's fixed clock; by default `SNAP_PIPELINE_NOW` or real time.
        port: 0 means a free one.
    """

    url: str

    def __init__(self, arguments: Sequence[str] = (), *, now: datetime | None = None, port: int = 0) -> None:
        self._command = [
            sys.executable,
            "-m",
            "snap_pipeline.sandbox",
            "--port",
            str(port),
            "--stop-with-standard-input",
        ]
        self._command += arguments
        self._environment = os.environ | ({"SNAP_PIPELINE_NOW": now.isoformat()} if now else {})
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start the process, and wait until it accepts connections.

        Raises:
            SandboxError: it ended instead; its message is on standard error.
        """
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        announcement = self._process.stdout.readline().split()
        if not announcement:
            self.stop()
            raise SandboxError("The sandbox did not start; its message is above.")
        self.url = announcement[-1]
        return self

    def stop(self) -> None:
        """End the process and wait for it; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=10 * SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
