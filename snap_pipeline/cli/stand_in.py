"""The stand-in for Snap's servers that the demo's destination points at.

`demo` delivers to it, and `dev` runs it beside Dagster on the same address. While nobody runs it the destination is
paused, so that no run of the home fails because the demo's server is gone.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.fields import is_this_machine
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.sandbox.server import DEFAULT_PORT, SandboxServer

NAME = "demo"
"""The name of the demo's destination."""


def demo_destination(destinations: DestinationStore) -> Destination | None:
    """Return the demo's destination; None in a home in which no demo ran."""
    return next((each for each in destinations.list() if each.name == NAME and is_this_machine(each.base_url)), None)


@contextmanager
def running_stand_in(destinations: DestinationStore) -> Iterator[str]:
    """Run the stand-in and yield its base URL. An existing demo destination is live meanwhile, and paused afterwards.

    It listens on the destination's port, so that other destinations of this home find it there too; where another
    program uses that port, on a free one, to which the destination moves.
    """
    existing = demo_destination(destinations)
    port = (urlsplit(existing.base_url).port if existing else None) or DEFAULT_PORT
    with SandboxServer(port=port if can_listen(port) else 0) as sandbox:
        try:
            if existing and existing.base_url != sandbox.url:
                destinations.set(NAME, base_url=sandbox.url)
            if existing:
                destinations.resume(NAME)
            yield sandbox.url
        finally:
            if demo_destination(destinations):
                destinations.pause(NAME)
                click.echo(f"The destination {NAME} is paused until `snap-pipeline dev` runs its server again.")


def can_listen(port: int) -> bool:
    """Tell whether a server of this machine can use a port."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
