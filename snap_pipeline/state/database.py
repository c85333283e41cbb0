"""The engine of the state database: SQLite by default, Postgres in production, the same code for both.

On Postgres every transaction runs as the role `snap_pipeline_app`, which owns nothing and which row-level security
restricts to the one workspace, or the one access token's rate limit, that the transaction names.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DBAPIError,
    OperationalError,
    ProgrammingError,
)

from snap_pipeline.errors import PipelineError
from snap_pipeline.files import atomic_write, private_draft
from snap_pipeline.state import migrations

BUSY_SECONDS = 30
"""The time for which a transaction on SQLite waits for another writer."""
DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2"}
POSTGRES_OPTIONS = {"connect_timeout": 10, "application_name": "snap_pipeline"}
ROLE = "snap_pipeline_app"
WORKSPACE_SETTING = "snap_pipeline.workspace"
FINGERPRINT_SETTING = "snap_pipeline.token_fingerprint"
"""Settings by which a transaction names its rows to the policies of row-level security (`migrations/versions`)."""
WITHOUT_SCHEMAS = {"destinations": None, "snap_pipeline": None}
MIGRATION_LOCK = 0x534E4150
"""The key of the Postgres advisory lock under which one process migrates; any number that stays the same."""

INSUFFICIENT_PRIVILEGE = "42501"
"""Postgres' code for a right that is missing."""

log = logging.getLogger(__name__)
_alembic_lock = threading.Lock()
"""Alembic keeps the migration that runs in module variables."""


class StateDatabaseError(PipelineError):
    """The state database cannot be reached, or denies the pipeline a right that it needs."""


class Database:
    """The state database.

    Args:
        url: of SQLAlchemy, `sqlite:///…` or `postgresql://…`; it may hold a password and is never shown.
        clock: seconds since the epoch, for SQLite; Postgres has its own clock, which all hosts share.

    Raises:
        StateDatabaseError: the URL cannot be used.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._url = _parse(url)
        self._clock = clock
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self._url) if self.is_sqlite else _postgres_engine(self._url)

    @contextmanager
    def transaction(
        self, workspace: str | None = None, *, token_fingerprint: str | None = None, read_only: bool = False
    ) -> Iterator[sa.Connection]:
        """Open a transaction: committed at the end of the block, rolled back on an exception.

        Args:
            workspace: its destinations and leases are visible on Postgres; without one, none are.
            token_fingerprint: the rate limit of this access token is visible on Postgres; without one, none is.
            read_only: whether it only reads, so that it does not wait for writers on SQLite.

        Raises:
            StateDatabaseError: the database cannot be reached, or the login may not act as the pipeline's role.
        """
        with self._explain_errors(), self._engine.begin() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("begin" if read_only else "begin immediate")
            else:
                self._take_role(connection, workspace, token_fingerprint)
            yield connection

    def change_workspace(self, connection: sa.Connection, workspace: str) -> None:
        """Make another workspace's rows the visible ones for the rest of a transaction."""
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.set_config(WORKSPACE_SETTING, workspace, True)))

    def migrate(self) -> None:
        """Migrate the tables to this version; idempotent, and safe in several processes at once.

        Raises:
            StateDatabaseError: the database cannot be reached or the login may not change it.
        """
        if self.is_sqlite:
            _create_file(self._url)
        with _alembic_lock, self._explain_errors():
            try:
                self._migrate()
            except CommandError:
                raise StateDatabaseError(
                    f"The state database at {self.shown_url} was migrated by a newer snap_pipeline. Install that one."
                ) from None
            except ProgrammingError as error:
                if getattr(error.orig, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
                    raise
                raise StateDatabaseError(
                    f"The login of {self.shown_url} may not migrate the state database: {str(error.orig).strip()}. "
                    "Run any command once with a login that owns the database and may create roles."
                ) from None

    def now(self) -> sa.ColumnElement[float]:
        """Return real time in seconds since the epoch, for a statement; call it within the transaction."""
        if self.is_sqlite:
            return sa.literal(self._clock(), sa.Double)
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an insert with `on conflict`, for which SQLAlchemy has a class for each database."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def dispose(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    @property
    def shown_url(self) -> str:
        """The URL without its secrets."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        """Turn failures that the database's operator can fix into an error with the remedy."""
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, OperationalError) or type(error) is DatabaseError:
                raise StateDatabaseError(
                    f"The state database at {self.shown_url} cannot be used: {str(error.orig).strip()}. "
                    "Check that it runs and that SNAP_PIPELINE_STATE_URL is right."
                ) from None
            raise

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            if not migrations.is_current(connection):
                self._lock_for_migration(connection)
                migrations.upgrade(connection)
            if not self.is_sqlite:
                self._warn_if_login_bypasses_security(connection)

    def _take_role(self, connection: sa.Connection, workspace: str | None, token_fingerprint: str | None) -> None:
        """Take the pipeline's role, and name the visible rows, until the end of the transaction.

        A pooled connection keeps nothing of it, since the settings are local to the transaction.
        """
        statement = sa.select(
            sa.func.set_config("role", ROLE, True),
            sa.func.set_config(WORKSPACE_SETTING, workspace or "", True),
            sa.func.set_config(FINGERPRINT_SETTING, token_fingerprint or "", True),
        )
        try:
            connection.execute(statement)
        except (ProgrammingError, DataError):
            raise StateDatabaseError(
                f"The login of {self.shown_url} may not act as {ROLE}. Ask the database's administrator for "
                f'`grant {ROLE} to "{self._url.username}"`.'
            ) from None

    def _lock_for_migration(self, connection: sa.Connection) -> None:
        """Wait until this process alone migrates; the next one then finds nothing to do."""
        if self.is_sqlite:
            connection.exec_driver_sql("begin immediate")
        else:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))

    def _warn_if_login_bypasses_security(self, connection: sa.Connection) -> None:
        bypasses = connection.scalar(
            sa.text("select rolsuper or rolbypassrls from pg_roles where rolname = session_user")
        )
        if bypasses:
            log.warning(
                "The login of %s bypasses row-level security. In production give the pipeline a login that only has "
                "the role %s; one with more rights is needed for migrations only.",
                self.shown_url,
                ROLE,
            )


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed and parsed.drivername in DRIVERS and parsed.database not in {None, "", ":memory:"}:
        return parsed
    raise StateDatabaseError(
        "SNAP_PIPELINE_STATE_URL must be sqlite:////path/of/state.db or postgresql://user@host/db."
    )


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        # Without an isolation level the driver begins nothing by itself; `transaction` does.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        execution_options={"schema_translate_map": WITHOUT_SCHEMAS},
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def flush_on_commit(connection: Any, _record: object) -> None:
        connection.execute("pragma synchronous = full")

    return engine


def _postgres_engine(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url,
        connect_args={key: value for key, value in POSTGRES_OPTIONS.items() if key not in url.query},
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _create_file(url: sa.URL) -> None:
    """Create the file of an SQLite database, readable by its owner only.

    It is in WAL mode before it gets its name: changing the mode of a file that other processes have open can fail.
    """
    path = Path(url.database or "")
    if path.exists():
        return
    try:
        with (
            atomic_write(path, private_draft(path), replace=False) as draft,
            closing(sqlite3.connect(draft)) as connection,
        ):
            connection.execute("pragma journal_mode = wal")
    except (OSError, sqlite3.Error) as error:
        raise StateDatabaseError(f"The state database {path} cannot be created: {error}.") from None
