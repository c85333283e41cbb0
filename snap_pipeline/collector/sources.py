"""Sources: the senders of events to the collector, each with a write key of its own.

On Postgres, row-level security shows a transaction only the rows of the workspace that it names; every statement has
the same condition, so that SQLite gives the same results.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from snap_pipeline.destinations.fields import check_name, check_workspace
from snap_pipeline.errors import PipelineError
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import SOURCES

Kind = Literal["web", "server"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY_PREFIX = "wk_"
KEY_BYTES = 24
SHOWN_CHARACTERS = 4


class UnknownSource(PipelineError):
    """There is no source of that name."""


class SourceTaken(PipelineError):
    """The name is in use."""


@dataclass(frozen=True)
class Source:
    """A source as it is stored; of its write key, only the digest and the last four characters are.

    Attributes:
        name: unique over all workspaces.
        workspace: the one whose events it posts.
        kind: `web` for keys that visitors' browsers have: what a visitor must not choose is then taken from the
            connection; `server` for keys that only the site's own servers have.
        key_digest: SHA-256 of the write key, in hex.
        key_last_four: the end of the write key, by which people tell keys apart.
        key_set_at: when the key was made.
        created_at: when the source was added.
    """

    name: str
    workspace: str
    kind: Kind
    key_digest: str
    key_last_four: str
    key_set_at: datetime
    created_at: datetime


COLUMNS = [SOURCES.c[field.name] for field in fields(Source)]


def digest_of(key: str) -> str:
    """Return the digest by which a write key is stored. It needs no salt: a key is 24 random bytes."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class SourceStore:
    """The store of sources.

    Args:
        database: the state database, migrated.
        workspaces: the configured ones; sources of others are not found.
        now: real time, aware.
    """

    def __init__(
        self, database: Database, workspaces: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._workspaces, self._now = database, tuple(workspaces), now

    def add(self, name: str, workspace: str, kind: Kind) -> tuple[Source, str]:
        """Save a source, and return it with its write key, which is not stored.

        Raises:
            InvalidValue: the name or the workspace cannot be used; nothing is stored.
            SourceTaken: the name is in use; nothing is stored.
        """
        check_name(name)
        check_workspace(workspace, self._workspaces)
        key, now = _new_key(), self._now()
        source = Source(name, workspace, kind, digest_of(key), key[-SHOWN_CHARACTERS:], now, now)
        try:
            with self._database.transaction(workspace) as connection:
                connection.execute(sa.insert(SOURCES).values(asdict(source)))
        except IntegrityError:
            raise SourceTaken(
                f"There is a source {name!r} already. Choose another name, or make it a new key with "
                "`snap-pipeline source rotate-key`."
            ) from None
        return source, key

    def get(self, name: str) -> Source:
        """Return the source of a name, in any workspace.

        Raises:
            UnknownSource: there is none.
        """
        for source in self.list():
            if source.name == name:
                return source
        raise _unknown(name)

    def list(self) -> list[Source]:
        """Return the sources of all workspaces, by workspace and name."""
        query = sa.select(*COLUMNS).order_by(SOURCES.c.name)
        found = []
        for workspace in sorted(self._workspaces):
            with self._database.transaction(workspace, read_only=True) as connection:
                rows = connection.execute(query.where(SOURCES.c.workspace == workspace)).mappings()
                found += [Source(**row) for row in rows]
        return found

    def rotate_key(self, name: str) -> str:
        """Replace a source's write key at once, and return the new one.

        Raises:
            UnknownSource: there is none of that name.
        """
        source, key = self.get(name), _new_key()
        values = {"key_digest": digest_of(key), "key_last_four": key[-SHOWN_CHARACTERS:], "key_set_at": self._now()}
        with self._database.transaction(source.workspace) as connection:
            updated = connection.execute(sa.update(SOURCES).where(*_row_of(source)).values(values))
        if updated.rowcount == 0:
            raise _unknown(name)  # it was removed meanwhile
        return key

    def remove(self, name: str) -> None:
        """Remove a source: what is posted with its key is refused from now on. What it landed stays.

        Raises:
            UnknownSource: there is none of that name.
        """
        source = self.get(name)
        with self._database.transaction(source.workspace) as connection:
            connection.execute(sa.delete(SOURCES).where(*_row_of(source)))


def _unknown(name: str) -> UnknownSource:
    return UnknownSource(f"There is no source {name[:64]!r}. See `snap-pipeline source list`.")


def _new_key() -> str:
    return f"{KEY_PREFIX}{secrets.token_urlsafe(KEY_BYTES)}"


def _row_of(source: Source) -> tuple[sa.ColumnElement[bool], ...]:
    return SOURCES.c.name == source.name, SOURCES.c.workspace == source.workspace
