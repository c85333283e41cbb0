"""Destinations, leases and rate limits; on Postgres their schemas, the pipeline's role and row-level security.

Every statement is idempotent. The role belongs to the whole Postgres cluster, the rest to the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'snap_pipeline_app') then
        create role snap_pipeline_app
            nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication;
        if not (select rolsuper from pg_roles where rolname = current_user) then
            execute format('grant snap_pipeline_app to %I', current_user);
        end if;
    end if;
exception
    -- another database of the cluster is being migrated at the same moment
    when duplicate_object or unique_violation then null;
end
$$
"""
ROW_LEVEL_SECURITY = """
alter table destinations.destinations enable row level security;
alter table destinations.destinations force row level security;
drop policy if exists own_workspace on destinations.destinations;
create policy own_workspace on destinations.destinations
    using (workspace = nullif(current_setting('snap_pipeline.workspace', true), ''))
    with check (workspace = nullif(current_setting('snap_pipeline.workspace', true), ''));
"""
GRANTS = """
grant usage on schema destinations, snap_pipeline to snap_pipeline_app;
grant select, insert, update on destinations.destinations to snap_pipeline_app;
grant select, insert, update, delete on snap_pipeline.leases to snap_pipeline_app;
grant select, insert, update on snap_pipeline.rate_limits to snap_pipeline_app;
grant select on snap_pipeline_version to snap_pipeline_app;
"""


def upgrade() -> None:
    """Create everything that is missing."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    if is_postgres:
        op.execute(ROLE)
        op.execute("create schema if not exists destinations; create schema if not exists snap_pipeline;")
    make_destinations("destinations" if is_postgres else None)
    make_shared_limits("snap_pipeline" if is_postgres else None)
    if is_postgres:
        op.execute(ROW_LEVEL_SECURITY)
        op.execute(GRANTS)


def make_destinations(schema: str | None) -> None:
    """Create the table of destinations. Its rows are never deleted, so that an id keeps its receipts."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "destinations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("pixel_id", sa.Text, nullable=False),
        sa.Column("snap_app_id", sa.Text),
        sa.Column("api_version", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("requests_per_minute", sa.Integer, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("token_encrypted", sa.LargeBinary),
        sa.Column("token_last_four", sa.Text, nullable=False),
        sa.Column("token_set_at", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("stopped_at", moment),
        sa.Column("stop_count", sa.Integer, nullable=False),
        sa.Column("stop_category", sa.Text),
        sa.Column("stop_message", sa.Text),
        sa.Column("retry_at", moment),
        sa.Column("last_success_at", moment),
        sa.Column("last_error_at", moment),
        sa.Column("last_error", sa.Text),
        sa.CheckConstraint("state in ('live', 'paused', 'removed')", name="destinations_state"),
        sa.CheckConstraint("api_version in ('v3', 'v2')", name="destinations_api_version"),
        schema=schema,
        if_not_exists=True,
    )
    op.create_index(
        "destinations_name",
        "destinations",
        ["workspace", "name"],
        unique=True,
        schema=schema,
        sqlite_where=sa.text("state <> 'removed'"),
        postgresql_where=sa.text("state <> 'removed'"),
        if_not_exists=True,
    )


def make_shared_limits(schema: str | None) -> None:
    """Create the tables that processes share: leases of hours, and rate limits of tokens."""
    op.create_table(
        "leases",
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("hour", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        schema=schema,
        if_not_exists=True,
    )
    op.create_table(
        "rate_limits",
        sa.Column("token_fingerprint", sa.Text, primary_key=True),
        sa.Column("next_slot", sa.Double, nullable=False),
        sa.Column("paused_until", sa.Double, nullable=False),
        schema=schema,
        if_not_exists=True,
    )
