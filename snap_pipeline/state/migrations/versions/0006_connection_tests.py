"""The last connection test of a destination. Existing destinations have none."""

import sqlalchemy as sa
from alembic import op

from snap_pipeline.state.tables import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns that are missing. The rights on the table hold for them as well."""
    connection = op.get_bind()
    schema = "destinations" if connection.dialect.name == "postgresql" else None
    present = {column["name"] for column in sa.inspect(connection).get_columns("destinations", schema)}
    for column in (sa.Column("tested_at", UtcDateTime), sa.Column("test_result", sa.Text)):
        if column.name not in present:
            op.add_column("destinations", column, schema=schema)
