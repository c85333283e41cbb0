"""A raw socket server that answers with the bytes, and at the pace, that a test chooses."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[["Connection"], None]


@dataclass
class Connection:
    """A request, and the socket on which it is answered."""

    socket: socket.socket
    target: str
    head: str
    body: bytes
    ended: threading.Event

    def send(self, *parts: bytes, pause: float = 0.0) -> None:
        """Send bytes, with a pause after each part."""
        for part in parts:
            self.socket.sendall(part)
            if pause:
                self.ended.wait(pause)

    def reply(self, status: str, body: bytes, *headers: str) -> None:
        """Send a whole answer as HTTP has it."""
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body)

    def drip(self, content: bytes, pause: float = 0.05) -> None:
        """Send a byte at a time for as long as anybody listens."""
        while not self.ended.is_set():
            self.send(*(content[place : place + 1] for place in range(len(content))), pause=pause)

    def reset(self) -> None:
        """End the connection with a reset in place of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class HostileServer:
    """The server.

    Attributes:
        url: its base URL.
        answer: what is done with the next requests.
        targets: of the requests so far.
        arrivals: when they came, by the monotonic clock.
        before_request: what is done with a connection before a request is read from it.
    """

    url: str
    answer: Answer
    targets: list[str] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    before_request: Callable[[socket.socket], object] = lambda _: None
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, connection: socket.socket) -> None:
        """Answer requests on a connection until one side ends it."""
        with contextlib.suppress(OSError), connection:
            self.before_request(connection)
            while request := _read_request(connection):
                self.targets.append(request[0])
                self.arrivals.append(time.monotonic())
                self.answer(Connection(connection, *request, self.ended))


@contextmanager
def hostile_server(answer: Answer, **options: Any) -> Iterator[HostileServer]:
    """Run a server in threads of this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HostileServer(f"http://127.0.0.1:{listener.getsockname()[1]}", answer, **options)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not server.ended.is_set():
                    connection, _ = listener.accept()
                    threading.Thread(target=server.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server
        finally:
            server.ended.set()


def _read_request(connection: socket.socket) -> tuple[str, str, bytes] | None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return None
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    lengths = (int(line.split(":")[1]) for line in text.split("\r\n") if line.lower().startswith("content-length"))
    length = next(lengths, 0)
    while len(body) < length:
        part = connection.recv(65_536)
        if not part:
            return None
        body += part
    return text.split(" ")[1], text, body
