"""The tables of the state database, as `migrations/` leaves them.

On SQLite, which has no schemas, the schema names are dropped (see `database.py`).
"""

from datetime import UTC, datetime

import sqlalchemy as sa


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC, aware in Python; SQLite, which has no zones, stores it without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert to UTC, and on SQLite remove the zone."""
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - as the base calls it
        """Convert to an aware datetime in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


METADATA = sa.MetaData()

DESTINATIONS = sa.Table(
    "destinations",
    METADATA,
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
    sa.Column("token_set_at", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("stopped_at", UtcDateTime),
    sa.Column("stop_count", sa.Integer, nullable=False),
    sa.Column("stop_category", sa.Text),
    sa.Column("stop_message", sa.Text),
    sa.Column("retry_at", UtcDateTime),
    sa.Column("last_success_at", UtcDateTime),
    sa.Column("last_error_at", UtcDateTime),
    sa.Column("last_error", sa.Text),
    sa.Column("state_since", UtcDateTime),
    sa.Column("web_age_days", sa.Integer, nullable=False, server_default="7"),
    sa.Column("offline_age_days", sa.Integer, nullable=False, server_default="37"),
    sa.Column("ios_app_id", sa.Text),
    sa.Column("android_app_id", sa.Text),
    sa.Column("tested_at", UtcDateTime),
    sa.Column("test_result", sa.Text),
    schema="destinations",
)
sa.Index(
    "destinations_name",
    DESTINATIONS.c.workspace,
    DESTINATIONS.c.name,
    unique=True,
    sqlite_where=DESTINATIONS.c.state != "removed",
    postgresql_where=DESTINATIONS.c.state != "removed",
)

WORKSPACES = sa.Table(
    "workspaces",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    schema="destinations",
)
"""Each workspace that ever had a destination, kept by a trigger: row-level security shows one workspace at a time, and
`rotate-key` must reach all of them, those that `workspaces.toml` no longer names included."""

SOURCES = sa.Table(
    "sources",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key_digest", sa.Text, nullable=False, unique=True),
    sa.Column("key_last_four", sa.Text, nullable=False),
    sa.Column("key_set_at", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    schema="snap_pipeline",
)

LEASES = sa.Table(
    "leases",
    METADATA,
    sa.Column("destination_id", sa.Text, primary_key=True),
    sa.Column("hour", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    schema="snap_pipeline",
)

RATE_LIMITS = sa.Table(
    "rate_limits",
    METADATA,
    sa.Column("token_fingerprint", sa.Text, primary_key=True),
    sa.Column("next_slot", sa.Double, nullable=False),
    sa.Column("paused_until", sa.Double, nullable=False),
    schema="snap_pipeline",
)
