"""The write keys that the collector knows, read from the state database now and then."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from snap_pipeline.collector.sources import Source, digest_of
from snap_pipeline.errors import PipelineError

CACHE_SECONDS = 30.0
"""The age at which the sources are read again: a removed one is taken for so long."""
SECONDS_BETWEEN_READS = 1.0
"""For an unknown key the sources are read again, since clients drop what is refused with 401; but no more often."""

log = logging.getLogger(__name__)


class SourcesUnreadable(PipelineError):
    """The sources cannot be read, so that a write key cannot be checked."""


class KnownKeys:
    """The sources by write key. Requests with a known key never wait for the state database.

    Args:
        read: returns all sources; it runs in a thread.
    """

    def __init__(self, read: Callable[[], Sequence[Source]]) -> None:
        self._read = read
        self._sources: Mapping[str, Source] = {}
        self._tried_at = float("-inf")
        self._is_readable = True
        self._reading: asyncio.Task[None] | None = None

    async def keep_fresh(self) -> None:
        """Read the sources now and then, until the task is cancelled."""
        while True:
            await asyncio.shield(self._start_reading())
            await asyncio.sleep(CACHE_SECONDS)

    async def source_of(self, keys: Sequence[str]) -> tuple[Source, str] | None:
        """Return the source of the first known write key, and that key; None if all are unknown.

        Raises:
            SourcesUnreadable: none is known, and the sources cannot be read.
        """
        asked_at = time.monotonic()
        if found := self._find(keys):
            return found
        while self._tried_at <= asked_at:
            await asyncio.shield(self._start_reading())
        if (found := self._find(keys)) or self._is_readable:
            return found
        raise SourcesUnreadable("The sources cannot be read. Check that the state database runs.")

    def _find(self, keys: Sequence[str]) -> tuple[Source, str] | None:
        for key in keys:
            if source := self._sources.get(digest_of(key)):
                return source, key
        return None

    def _start_reading(self) -> asyncio.Task[None]:
        """Start to read the sources, unless somebody is at it; return the task."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_again())
        return self._reading

    async def _read_again(self) -> None:
        await asyncio.sleep(self._tried_at + SECONDS_BETWEEN_READS - time.monotonic())
        tried_at = time.monotonic()
        try:
            sources = await asyncio.to_thread(self._read)
        except PipelineError as error:
            log.warning("%s", error)
            self._is_readable = False
        except Exception:
            log.exception("The sources cannot be read.")
            self._is_readable = False
        else:
            self._sources = {source.key_digest: source for source in sources}
            self._is_readable = True
        self._tried_at = tried_at
