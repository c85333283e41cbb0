"""The write keys that the collector knows, read from the state database now and then."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from snap_pipeline.collector.sources import Source, digest_of
from snap_pipeline.errors import PipelineError

log = logging.getLogger(__name__)

KEPT_SECONDS = 30.0
"""How long a removed source is still taken."""
SECONDS_BETWEEN_READS = 1.0
"""For an unknown key the sources are read again, since clients drop what is refused with 401; but no more often."""


class KnownKeys:
    """The sources by write key.

    Args:
        read: returns all sources; it runs in a thread.
    """

    def __init__(self, read: Callable[[], Sequence[Source]]) -> None:
        self._read = read
        self._sources: Mapping[str, Source] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def source_of(self, key: str) -> Source | None:
        """Return the source of a write key; None for an unknown one.

        Known keys are taken while the database cannot be reached.

        Raises:
            StateDatabaseError: the key is not known, and the sources cannot be read.
        """
        digest, asked_at = digest_of(key), time.monotonic()
        if digest not in self._sources:
            await self._read_again(newer_than=asked_at)
        elif asked_at - self._read_at > KEPT_SECONDS:
            try:
                await self._read_again(newer_than=asked_at - KEPT_SECONDS)
            except PipelineError as error:
                log.warning("%s", error)
        return self._sources.get(digest)

    async def _read_again(self, *, newer_than: float) -> None:
        """Read the sources, unless somebody did so after a moment; requests wait for each other's reading."""
        async with self._lock:
            if self._read_at > newer_than:
                return
            await asyncio.sleep(self._read_at + SECONDS_BETWEEN_READS - time.monotonic())
            read_at = time.monotonic()
            sources = await asyncio.to_thread(self._read)
            self._sources, self._read_at = {source.key_digest: source for source in sources}, read_at
