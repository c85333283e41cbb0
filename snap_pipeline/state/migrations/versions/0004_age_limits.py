"""The age limits of a destination's events. Existing destinations get Snap's own, 7 and 37 days."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

DEFAULTS = {"web_age_days": "7", "offline_age_days": "37"}


def upgrade() -> None:
    """Add the columns that are missing. The rights on the table hold for them as well."""
    connection = op.get_bind()
    schema = "destinations" if connection.dialect.name == "postgresql" else None
    present = {column["name"] for column in sa.inspect(connection).get_columns("destinations", schema)}
    for name, days in DEFAULTS.items():
        if name not in present:
            op.add_column(
                "destinations", sa.Column(name, sa.Integer, nullable=False, server_default=days), schema=schema
            )
