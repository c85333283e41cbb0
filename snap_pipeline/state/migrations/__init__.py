"""The migrations of the state database, run by the program itself when it starts; there is no `alembic.ini`.

To add one: Alembic's `command.revision(configuration(), message)` writes it from `script.py.mako`. Scripts are
idempotent. There are no downgrades; the way back is a backup.
"""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

VERSION_TABLE = "snap_pipeline_version"
"""The table of the current version. It has not Alembic's default name, since Dagster may have that one in the same
Postgres database."""


def configuration(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration for these scripts.

    Args:
        connection: in a transaction, which the caller commits.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "snap_pipeline.state:migrations")
    config.set_main_option("path_separator", "os")
    return config


def is_current(connection: sa.Connection) -> bool:
    """Tell whether the database is up to date; needs no right but to read the version."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision() == ScriptDirectory.from_config(configuration()).get_current_head()


def upgrade(connection: sa.Connection) -> None:
    """Run the scripts that have not run yet, within the connection's transaction."""
    command.upgrade(configuration(connection), "head")
