"""The time from which a destination is live, paused or removed; not known of existing ones."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column if it is missing."""
    connection = op.get_bind()
    schema = "destinations" if connection.dialect.name == "postgresql" else None
    columns = sa.inspect(connection).get_columns("destinations", schema)
    if "state_since" not in {column["name"] for column in columns}:
        op.add_column("destinations", sa.Column("state_since", sa.DateTime(timezone=True)), schema=schema)
