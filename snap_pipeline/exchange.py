"""HTTP requests with a deadline for the whole exchange and a size limit for the response.

The timeouts of `requests` apply to each wait at the socket, so a server that sends a byte now and then never exceeds
them, neither in its headers nor in its body. Here each wait gets the rest of the deadline.

The URL and the headers may hold a secret, and a server may quote them. Exceptions of the HTTP library quote them too,
so none leaves this module, and the library's log messages are redacted.
"""

import http.client
import io
import logging
import socket
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout, SSLError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from snap_pipeline.redaction import Redaction

MAXIMUM_BYTES = 1_000_000
"""The size limit of an answer, headers included. Snap's answers are small; an endless one is not from Snap."""
PIECE_BYTES = 65_536
"""The size of the pieces that are sent and read, each with its own timeout."""
USER_AGENT = "snap_pipeline"
LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)

NOT_SENT_MESSAGES: Mapping[type[Exception], str] = {
    SSLError: "TLS: {host} showed no certificate that is trusted here",
    ConnectTimeout: "{host} did not take a connection within {connect_seconds:.0f} s",
    ProxyError: "the proxy on the way to {host} cannot be used",
    NameResolutionError: "DNS: the name {host} is not known here",
    NewConnectionError: "{host} refused the connection",
    ReadTimeout: "TLS: {host} did not finish the handshake within {connect_seconds:.0f} s",
}
"""Messages for failures before any byte of the request was sent, specific exceptions before general ones."""


class NotSent(Exception):
    """A failure before any byte of the request was sent; the message says why."""


class NoAnswer(Exception):
    """A request that was sent, at least in part, without an answer; the message says why."""


@dataclass(frozen=True)
class Response:
    """The answer of a server.

    Attributes:
        status: of its first line.
        retry_after: the header, as received.
        body: decompressed; empty if it is incomplete.
        trouble: why the body is incomplete; None if it is complete.
    """

    status: int
    retry_after: str | None
    body: bytes = b""
    trouble: str | None = None


@dataclass
class _Exchange:
    """The limits of an exchange, which its connection enforces."""

    deadline: float
    redact: Redaction
    bytes_left: int = MAXIMUM_BYTES
    request_sent: bool = False

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    def remaining_seconds(self) -> float:
        if self.is_late:
            raise TimeoutError("the deadline of the exchange has passed")
        return self.deadline - time.monotonic()

    def take(self, count: int) -> None:
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise OSError("the answer exceeds the size limit")


_CURRENT: ContextVar[_Exchange] = ContextVar("exchange")


class HttpClient:
    """An HTTP client, safe to use from several threads.

    It follows no redirects, keeps no cookies and reads no .netrc, since these could change which credentials a server
    sees. It uses the proxies and certificates of the environment, as `requests` does.

    Args:
        redact: removes the secrets of the requests from log messages.
        connections: the number of connections that are kept open.
    """

    def __init__(self, redact: Redaction, connections: int = 8) -> None:
        self._redact = redact
        self._adapter = _BoundedAdapter(pool_connections=1, pool_maxsize=connections)
        self._environment = requests.Session()

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        connect_seconds: float,
        seconds: float,
        read_body: bool = True,
    ) -> Response:
        """Post a body and return the answer.

        Args:
            url: including the query.
            body: of the request.
            headers: of the request.
            connect_seconds: timeout of the connection to an address, and again of the TLS handshake.
            seconds: deadline of the whole exchange.
            read_body: read the body of the answer.

        Raises:
            NotSent: no byte of the request was sent.
            NoAnswer: the request was sent, at least in part, and no answer came.
        """
        return self._exchange("POST", url, body, headers, connect_seconds, seconds, read_body=read_body)

    def get(self, url: str, headers: Mapping[str, str], *, connect_seconds: float, seconds: float) -> Response:
        """Request an address and return the answer; arguments and errors are those of `post`."""
        return self._exchange("GET", url, None, headers, connect_seconds, seconds, read_body=True)

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        connect_seconds: float,
        seconds: float,
        *,
        read_body: bool,
    ) -> Response:
        exchange = _Exchange(time.monotonic() + seconds, self._redact)
        before = _CURRENT.set(exchange)
        host = urlsplit(url).hostname
        try:
            request = requests.Request(method, url, {"User-Agent": USER_AGENT, **headers}, data=body, auth=_no_auth)
            return self._send(request, (min(connect_seconds, seconds), seconds), read_body=read_body)
        except Exception as error:  # noqa: BLE001 - any exception of the library may quote URL and secret
            if not exchange.request_sent:
                reason = _not_sent_reason(error).format(host=host, connect_seconds=min(connect_seconds, seconds))
                raise NotSent(reason) from None
            if exchange.is_late:
                raise NoAnswer(f"{host} did not answer within {seconds:.0f} s") from None
            raise NoAnswer(f"the connection to {host} broke ({type(error).__name__})") from None
        finally:
            _CURRENT.reset(before)

    def _send(self, request: requests.Request, timeout: tuple[float, float], *, read_body: bool) -> Response:
        environment = self._environment.merge_environment_settings(request.url, {}, stream=True, verify=True, cert=None)
        # Not a session: it reads the whole body of a redirect even if it does not follow it.
        with self._adapter.send(
            request.prepare(),
            stream=True,
            timeout=timeout,
            verify=environment["verify"] or True,
            proxies=environment["proxies"],
        ) as response:
            retry_after = response.headers.get("Retry-After")
            if not read_body:
                return Response(response.status_code, retry_after)
            content, trouble = _read_body(response)
            return Response(response.status_code, retry_after, content, trouble)


class _BoundedStream(io.RawIOBase):
    """The raw stream of an answer, within the exchange's deadline and size limit."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._socket = stream, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        exchange = _CURRENT.get()
        self._socket.settimeout(exchange.remaining_seconds())
        count = self._stream.readinto(buffer)
        exchange.take(count or 0)
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: io.BufferedReader = io.BufferedReader(_BoundedStream(self.fp.detach(), sock))


class _BoundedConnection(HTTPConnection):
    response_class = _BoundedResponse

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        """Send the request, and note it: an error before this point means that nothing was sent."""
        if self.sock is None:
            self.connect()
        _CURRENT.get().request_sent = True
        super().endheaders(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send data in pieces, each within the rest of the deadline."""
        if not isinstance(data, bytes):
            super().send(data)
            return
        for start in range(0, len(data), PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(_CURRENT.get().remaining_seconds())
            super().send(data[start : start + PIECE_BYTES])


class _BoundedTlsConnection(_BoundedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTlsConnection


class _BoundedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class _RedactingFilter(logging.Filter):
    """A log filter that redacts the HTTP library's messages: URLs in debug messages, unparsable headers in warnings."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message; let every record pass."""
        exchange = _CURRENT.get(None)
        if exchange:
            record.msg, record.args = exchange.redact(record.getMessage()), ()
            record.exc_info = record.exc_text = None
        return True


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_RedactingFilter())


def _read_body(response: requests.Response) -> tuple[bytes, str | None]:
    """Read the body; return it, and why it is incomplete or None."""
    content = bytearray()
    if response.status_code < 200:  # interim answer; the final one would be read as the answer of the next request
        return b"", "the answer is an interim one"
    try:
        for chunk in response.iter_content(PIECE_BYTES):
            content += chunk
            if len(content) > MAXIMUM_BYTES:
                return b"", "the answer has no end"
    except Exception:  # noqa: BLE001 - see `HttpClient.post`; the status stands
        exchange = _CURRENT.get()
        if exchange.bytes_left < 0:
            return b"", "the answer has no end"
        return b"", "the answer did not end in time" if exchange.is_late else "the answer broke off"
    return bytes(content), None


def _not_sent_reason(error: Exception) -> str:
    """Return the message template for a failure before the first byte of the request."""
    failure = error.args[0] if error.args else None
    cause = failure.reason if isinstance(failure, MaxRetryError) else None
    for kind, message in NOT_SENT_MESSAGES.items():
        if isinstance(error, kind) or isinstance(cause, kind):
            return message
    return "the connection to {host} broke before the request was sent"


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
