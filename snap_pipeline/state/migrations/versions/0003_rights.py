"""The names of all workspaces, for `rotate-key`; row-level security of leases and rate limits on Postgres."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SQLITE_TRIGGER = """
create trigger if not exists remember_workspace after insert on destinations
begin
    insert or ignore into workspaces (name) values (new.workspace);
end
"""
POSTGRES_TRIGGER = """
create or replace function destinations.remember_workspace() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    insert into destinations.workspaces (name) values (new.workspace) on conflict do nothing;
    return new;
end
$$;
drop trigger if exists remember_workspace on destinations.destinations;
create trigger remember_workspace after insert or update of workspace on destinations.destinations
    for each row execute function destinations.remember_workspace();
grant select on destinations.workspaces to snap_pipeline_app;
"""
POSTGRES_FILL = """
-- Row-level security restricts the owner as well, except in this transaction.
alter table destinations.destinations no force row level security;
insert into destinations.workspaces (name)
    select distinct workspace from destinations.destinations on conflict do nothing;
alter table destinations.destinations force row level security;
"""
ROW_LEVEL_SECURITY = """
alter table snap_pipeline.leases enable row level security;
alter table snap_pipeline.leases force row level security;
drop policy if exists of_own_destination on snap_pipeline.leases;
-- The role's own view of the destinations: those of the workspace that the transaction names.
create policy of_own_destination on snap_pipeline.leases
    using (exists (select from destinations.destinations as visible where visible.id = destination_id));

alter table snap_pipeline.rate_limits enable row level security;
alter table snap_pipeline.rate_limits force row level security;
drop policy if exists of_known_token on snap_pipeline.rate_limits;
-- Workspaces that share an access token share its limit, so that knowing the token is the right to its row.
create policy of_known_token on snap_pipeline.rate_limits
    using (token_fingerprint = nullif(current_setting('snap_pipeline.token_fingerprint', true), ''));
"""


def upgrade() -> None:
    """Create everything that is missing."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "workspaces",
        sa.Column("name", sa.Text, primary_key=True),
        schema="destinations" if is_postgres else None,
        if_not_exists=True,
    )
    if is_postgres:
        op.execute(POSTGRES_TRIGGER)
        op.execute(POSTGRES_FILL)
        op.execute(ROW_LEVEL_SECURITY)
    else:
        op.execute(SQLITE_TRIGGER)
        op.execute("insert or ignore into workspaces (name) select distinct workspace from destinations")
