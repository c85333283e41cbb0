"""The write keys that the collector knows, read from the state database now and then."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from snap_pipeline.collector.sources import Source, digest_of

KEPT_SECONDS = 30.0
"""How long a removed source is still taken."""
SECONDS_BETWEEN_READS = 1.0
"""An unknown key is looked up in the database, since clients drop what is refused with 401; but no more often."""


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

        Raises:
            StateDatabaseError: the key is not known yet, and the sources cannot be read.
        """
        digest = digest_of(key)
        if digest not in self._sources or self._age() > KEPT_SECONDS:
            await self._refresh(is_known=digest in self._sources)
        return self._sources.get(digest)

    def _age(self) -> float:
        return time.monotonic() - self._read_at

    async def _refresh(self, *, is_known: bool) -> None:
        async with self._lock:
            if self._age() <= (KEPT_SECONDS if is_known else SECONDS_BETWEEN_READS):
                return  # another request has just read them
            sources = await asyncio.to_thread(self._read)
            self._sources = {source.key_digest: source for source in sources}
            self._read_at = time.monotonic()
