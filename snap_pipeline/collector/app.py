"""The collector as an ASGI application: events in over HTTP, into the landing zone.

It answers 200 once the events are on disk. It never refuses a batch for one event, since client libraries drop the
whole batch then: odd events land as they are, and the pipeline's quarantine names them.
"""

import asyncio
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from snap_pipeline.collector.bodies import MAXIMUM_BYTES, BodyTooLarge, UnreadableBody, as_line, read_json
from snap_pipeline.collector.events import Arrival, events_in, stamp
from snap_pipeline.collector.known_keys import KnownKeys
from snap_pipeline.collector.minute_files import MinuteFiles
from snap_pipeline.collector.requests import (
    UnknownPath,
    answer_body,
    by_name,
    cors_headers,
    event_type_of,
    write_key_of,
)
from snap_pipeline.errors import PipelineError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 30.0
"""How long a request may take to send its body."""
RETRY_SECONDS = b"1"

log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not taken.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Collector:
    """The application of one process.

    Args:
        files: land the events.
        keys: the write keys of all sources.
        prefix: the path below which sites pass requests on.
    """

    def __init__(self, files: MinuteFiles, keys: KnownKeys, prefix: str) -> None:
        self._files, self._keys, self._prefix = files, keys, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await asyncio.to_thread(self._files.start)
        except PipelineError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._files.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()
        headers = by_name(scope["headers"])
        status, body = 200, b""
        try:
            if scope["method"] == "OPTIONS":
                status = 204
            elif scope["path"] == "/readyz":
                await self._check()
            elif scope["path"] != "/healthz":
                await self._take(scope, headers, receive)
                body = answer_body(None)
        except Refused as refused:
            status, body = refused.status, answer_body(str(refused))
        more = cors_headers(headers)
        if status in {429, 503}:
            more.append((b"retry-after", RETRY_SECONDS))
        if body:
            more += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": body})
        log.info(
            "%s %s %s %d %.1f ms",
            shortened(_address_of(scope)),
            scope["method"],
            scope["path"],
            status,
            (time.perf_counter() - begin) * 1000,
        )

    async def _check(self) -> None:
        try:
            await asyncio.to_thread(self._files.check)
        except OSError as error:
            log.warning("Not ready: %s", error)
            raise Refused(503, "Events cannot be written.") from None

    async def _take(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> None:
        """Land the events of a request.

        Raises:
            Refused: nothing of it landed.
        """
        try:
            event_type = event_type_of(scope["path"], self._prefix)
        except UnknownPath:
            raise Refused(404, "Post events to /v1/batch, /v1/track and their like.") from None
        if scope["method"] != "POST":
            raise Refused(405, "Events are posted: use POST.")
        try:
            body = read_json(await _body_of(headers, receive))
        except UnreadableBody:
            raise Refused(400, "The body is neither JSON nor JSON in gzip.") from None
        except BodyTooLarge:
            raise Refused(413, f"The body is larger than {MAXIMUM_BYTES} bytes once it is unpacked.") from None
        if not isinstance(body, dict | list):
            raise Refused(400, "The body is no JSON object.")
        key = write_key_of(headers, scope["query_string"], body)
        if key is None:
            raise Refused(401, "There is no write key. Give it as user name of Basic authorization.")
        try:
            source = await self._keys.source_of(key)
        except PipelineError as error:
            log.warning("%s", error)
            raise Refused(503, "The sources cannot be read. Try again.") from None
        if source is None:
            raise Refused(401, "The write key is not known. See `snap-pipeline source list`.")
        user_agent = headers.get(b"user-agent", b"").decode("latin-1")
        arrival = Arrival(source, datetime.now(UTC), _address_of(scope), user_agent, event_type)
        lines = b"".join(map(as_line, stamp(events_in(body), arrival)))
        if lines:
            try:
                await asyncio.wrap_future(self._files.land(source.workspace, lines))
            except OSError:
                raise Refused(503, "The events could not be written. Try again.") from None


async def _body_of(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Read the body of a request.

    Raises:
        Refused: it is too large, or takes too long, or its sender is gone.
    """
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAXIMUM_BYTES:
        raise Refused(413, f"The body is larger than {MAXIMUM_BYTES} bytes.")
    parts, size, is_whole = [], 0, False
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while not is_whole:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "The body is not complete.")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > MAXIMUM_BYTES:
                    raise Refused(413, f"The body is larger than {MAXIMUM_BYTES} bytes.")
                is_whole = not message.get("more_body", False)
    except TimeoutError:
        raise Refused(408, f"The body took more than {BODY_SECONDS:.0f} seconds.") from None
    return b"".join(parts)


def _address_of(scope: Scope) -> str:
    """Return the visitor's address; uvicorn has read `X-Forwarded-For` of the trusted proxies."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def shortened(address: str) -> str:
    """Return an address without the part that tells visitors apart: its /24, of IPv6 its /48."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "-"
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False).network_address)
