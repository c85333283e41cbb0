"""Sources: who may post events to the collector, one workspace at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROW_LEVEL_SECURITY = """
alter table snap_pipeline.sources enable row level security;
alter table snap_pipeline.sources force row level security;
drop policy if exists own_workspace on snap_pipeline.sources;
create policy own_workspace on snap_pipeline.sources
    using (workspace = nullif(current_setting('snap_pipeline.workspace', true), ''))
    with check (workspace = nullif(current_setting('snap_pipeline.workspace', true), ''));
grant select, insert, update, delete on snap_pipeline.sources to snap_pipeline_app;
"""


def upgrade() -> None:
    """Create the table if it is missing."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key_digest", sa.Text, nullable=False, unique=True),
        sa.Column("key_last_four", sa.Text, nullable=False),
        sa.Column("key_set_at", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("kind in ('web', 'server')", name="sources_kind"),
        schema="snap_pipeline" if is_postgres else None,
        if_not_exists=True,
    )
    if is_postgres:
        op.execute(ROW_LEVEL_SECURITY)
