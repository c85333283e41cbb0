"""Alembic's scripts for the state database, run by the program itself when it starts; there is no `alembic.ini`.

To add one: `alembic`'s `command.revision(configuration(), message)` writes it from `script.py.mako`. Scripts can
be run again over what is there already, and there is no way back but a backup.
"""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

VERSION_TABLE = "snap_pipeline_version"
"""Not Alembic's usual name, since Dagster may keep its own in the same Postgres database."""


def configuration(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration for these scripts.

    Args:
        connection: in a transaction, which the caller commits.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "snap_pipeline.state:migrations")
    config.set_main_option("path_separator", "os")
    return config


def is_current(connection: sa.Connection) -> bool:
    """Whether nothing is left to do; asks for no right but to read the version."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision() == ScriptDirectory.from_config(configuration()).get_current_head()


def upgrade(connection: sa.Connection) -> None:
    """Runs the scripts that are missing, within the connection's transaction."""
    command.upgrade(configuration(connection), "head")
