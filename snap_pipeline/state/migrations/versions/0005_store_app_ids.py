"""The ids that a destination's app has in its stores. Existing destinations have none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns that are missing. The rights on the table hold for them as well."""
    connection = op.get_bind()
    schema = "destinations" if connection.dialect.name == "postgresql" else None
    present = {column["name"] for column in sa.inspect(connection).get_columns("destinations", schema)}
    for name in ("ios_app_id", "android_app_id"):
        if name not in present:
            op.add_column("destinations", sa.Column(name, sa.Text), schema=schema)
