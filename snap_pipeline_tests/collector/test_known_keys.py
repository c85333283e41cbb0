"""Write keys while the state database is slow, away, or changed."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import ProgrammingError

from snap_pipeline.collector import known_keys
from snap_pipeline.collector.known_keys import KnownKeys, SourcesUnreadable
from snap_pipeline.collector.sources import Source, digest_of
from snap_pipeline_tests.project import NOW

SHOP = Source("shop", "default", "web", digest_of("wk_shop"), "shop", NOW, NOW)


class Store:
    """A store of sources that may be away."""

    def __init__(self) -> None:
        self.sources: list[Source] = [SHOP]
        self.is_away, self.reads = False, 0

    def read(self) -> Sequence[Source]:
        self.reads += 1
        if self.is_away:
            time.sleep(0.3)
            raise ProgrammingError("select", None, Exception("gone"))
        return list(self.sources)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "SECONDS_BETWEEN_READS", 0.05)


def test_known_keys_do_not_wait_for_a_database_that_is_away() -> None:
    store = Store()

    async def ask() -> None:
        keys = KnownKeys(store.read)
        assert await keys.source_of(["wk_other", "wk_shop"]) == (SHOP, "wk_shop")
        store.is_away = True
        begin = time.monotonic()
        unknown = [asyncio.create_task(keys.source_of(["wk_new"])) for _ in range(20)]
        for _ in range(20):
            assert await keys.source_of(["wk_shop"]) == (SHOP, "wk_shop")
        assert time.monotonic() - begin < 0.2
        errors = await asyncio.gather(*unknown, return_exceptions=True)
        assert all(isinstance(error, SourcesUnreadable) for error in errors)
        # They wait for the same read.
        assert store.reads == 2

    asyncio.run(ask())


def test_a_new_key_is_known_at_once_and_a_removed_one_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "CACHE_SECONDS", 0.05)
    store = Store()
    store.sources = []

    async def ask() -> None:
        keys = KnownKeys(store.read)
        fresh = asyncio.create_task(keys.keep_fresh())
        assert await keys.source_of(["wk_shop"]) is None
        store.sources = [SHOP]
        assert await keys.source_of(["wk_shop"]) == (SHOP, "wk_shop")
        store.is_away = True
        await asyncio.sleep(0.5)
        store.is_away, store.sources = False, []
        await asyncio.sleep(0.7)
        assert await keys.source_of(["wk_shop"]) is None
        fresh.cancel()

    asyncio.run(ask())
