"""The sandbox as a server: the application, running it in this process, and running it as a process of its own."""

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
"""What open requests, delayed ones among them, get to finish."""


class SandboxError(PipelineError):
    """The sandbox did not start."""


def create_app(options: SandboxOptions | None = None, fixed_now: datetime | None = None) -> Starlette:
    """The application, with an empty store.

    Args:
        options: tokens, assets, optional checks and standing faults.
        fixed_now: the clock of age checks and deduplication; None is real time.
    """
    app = Starlette(routes=[*endpoints.routes(), *control.routes()])
    app.state.sandbox = Sandbox(options or SandboxOptions(), fixed_now)
    return app


class _DroppableProtocol(HttpToolsProtocol):
    """Hands each request its connection, because ASGI has no word for closing it without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # uvicorn's type of a scope knows no extensions of others.
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
    """Serves until SIGINT or SIGTERM; says its base URL on standard output as soon as it takes connections.

    Args:
        port: 0 takes a free one.
        options: as for `create_app`.
        host: the address to listen on.
        fixed_now: as for `create_app`.
        stop_with_standard_input: ends the server when standard input does, and so with the process that holds it.

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
        # A request's line holds v3's token.
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    if stop_with_standard_input:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    # Decoded batches are garbage without cycles: the collector only costs time.
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
    """A sandbox in a process of its own, which ends with this one however this one ends.

    Attributes:
        url: the base URL, once started.

    Args:
        arguments: of the `sandbox` command, such as `"--token", "secret"`.
        now: fixes the sandbox's clock; else `SNAP_PIPELINE_NOW` or real time.
        port: 0 takes a free one.
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
        """Starts the process and waits until it takes connections.

        Raises:
            SandboxError: it ended instead; what it said is on standard error.
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
        """Ends the process, and waits for it; a second call does nothing."""
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
