"""The collector as an ASGI application: events in over HTTP, into the landing zone.

It answers 200 once the events are on disk. It never refuses a batch for one event, since client libraries drop the
whole batch then: odd events land as they are, and the pipeline's quarantine names them.
"""

import asyncio
import ipaddress
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any

from snap_pipeline.collector.bodies import MAXIMUM_BYTES, BodyTooLarge, UnreadableBody, as_line, is_large, read_json
from snap_pipeline.collector.events import MAXIMUM_EVENTS, TYPES, Arrival, events_in, stamp
from snap_pipeline.collector.known_keys import KnownKeys, SourcesUnreadable
from snap_pipeline.collector.minute_files import MinuteFiles
from snap_pipeline.collector.requests import (
    HEALTH,
    READINESS,
    SOURCE_CONFIG,
    UnknownPath,
    answer_body,
    by_name,
    cors_headers,
    endpoint_of,
    source_config,
    write_keys_in,
    write_keys_of,
)
from snap_pipeline.collector.sources import Source
from snap_pipeline.errors import PipelineError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Headers = Mapping[bytes, bytes]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 30.0
"""The time that a request may take to send its body."""
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
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await asyncio.to_thread(self._files.start)
        except (PipelineError, OSError) as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        reading = asyncio.create_task(self._keys.keep_fresh())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        reading.cancel()
        await asyncio.to_thread(self._files.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()
        headers = by_name(scope["headers"])
        path = "-"  # one that is not known may be anything, such as a forged line of the log
        status, body = 200, b""
        try:
            if scope["method"] == "OPTIONS":
                status = 204
            else:
                endpoint = _endpoint_of(scope, self._prefix)
                path = scope["path"]
                body = await self._handle(endpoint, scope, headers, receive)
        except Refused as refused:
            status, body = refused.status, answer_body(str(refused))
        except Exception as error:  # noqa: BLE001 - whatever it is, clients must keep their events and try again
            # Without its message, which may hold what was posted.
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("%s in %s, line %s", type(error).__name__, place.filename, place.lineno)  # noqa: TRY400
            status, body = 503, answer_body("The request could not be handled. Try again.")
        more = cors_headers(headers)
        if status == 503:
            more.append((b"retry-after", RETRY_SECONDS))
        if body:
            more += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": body})
        log.info(
            "%s %s %s %d %.1f ms",
            shortened(_address_of(scope)),
            scope["method"],
            path,
            status,
            (time.perf_counter() - begin) * 1000,
        )

    async def _handle(self, endpoint: str, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        """Handle a request, and return the body of the answer.

        Raises:
            Refused: it is not taken.
        """
        if endpoint == HEALTH:
            return b""
        if endpoint == READINESS:
            await self._check()
            return b""
        if endpoint == SOURCE_CONFIG:
            return source_config(*await self._source_of(write_keys_of(headers, scope["query_string"])))
        if scope["method"] != "POST":
            raise Refused(405, "Events are posted: use POST.")
        await self._ingest(endpoint, scope, headers, receive)
        return answer_body(None)

    async def _check(self) -> None:
        try:
            await asyncio.to_thread(self._files.check)
        except OSError as error:
            log.warning("Not ready: %s", error)
            raise Refused(503, "Events cannot be written.") from None

    async def _ingest(self, endpoint: str, scope: Scope, headers: Headers, receive: Receive) -> None:
        """Land the events of a request.

        Raises:
            Refused: nothing of it landed.
        """
        keys = write_keys_of(headers, scope["query_string"])
        if keys:  # before the body is read, which costs far more
            source, _ = await self._source_of(keys)
        packed = await _body_of(headers, receive)
        run = asyncio.to_thread if is_large(packed) else _run_here
        try:
            body = await run(read_json, packed)
            if not isinstance(body, dict | list):
                raise Refused(400, "The body is no JSON object.")
            if not keys:
                source, _ = await self._source_of(write_keys_in(body))
            user_agent = headers.get(b"user-agent", b"").decode("latin-1")
            arrival = Arrival(source, datetime.now(UTC), _address_of(scope), user_agent, TYPES.get(endpoint))
            lines = await run(_lines_of, body, arrival)
        except UnreadableBody:
            raise Refused(400, "The body is neither JSON nor JSON in gzip.") from None
        except BodyTooLarge:
            raise Refused(413, f"The limit is {MAXIMUM_BYTES} bytes unpacked, and {MAXIMUM_EVENTS} events.") from None
        if lines:
            try:
                await asyncio.wrap_future(self._files.land(source.workspace, lines))
            except OSError:
                raise Refused(503, "The events could not be written. Try again.") from None

    async def _source_of(self, keys: Sequence[str]) -> tuple[Source, str]:
        """Return the source of a request, and its write key.

        Raises:
            Refused: no key is known.
        """
        if not keys:
            raise Refused(401, "There is no write key. Give it as user name of Basic authorization.")
        try:
            found = await self._keys.source_of(keys)
        except SourcesUnreadable:
            raise Refused(503, "The sources cannot be read. Try again.") from None
        if found is None:
            raise Refused(401, "The write key is not known. See `snap-pipeline source list`.")
        return found


def _endpoint_of(scope: Scope, prefix: str) -> str:
    try:
        return endpoint_of(scope["path"], prefix)
    except UnknownPath:
        raise Refused(404, "Post events to /v1/batch, /v1/track and their like.") from None


def _lines_of(body: Any, arrival: Arrival) -> bytes:
    return b"".join(map(as_line, stamp(events_in(body), arrival)))


async def _run_here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in this thread, where `asyncio.to_thread` would cost more than the function."""
    return function(*arguments)


async def _body_of(headers: Headers, receive: Receive) -> bytes:
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
