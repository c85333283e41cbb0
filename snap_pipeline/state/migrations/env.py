"""The entry point of Alembic: runs the scripts on the connection, and in the transaction, of `Database.migrate`."""

from alembic import context

from snap_pipeline.state.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
