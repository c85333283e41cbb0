"""Rows of the state database that tests insert themselves."""

from datetime import UTC, datetime

import sqlalchemy as sa

from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS

WORKSPACE = "shop_a"


def add_destination_row(database: Database, id_: str, workspace: str = WORKSPACE) -> None:
    """Insert a destination to which nothing is sent, so that leases may refer to it."""
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    texts = ("pixel_id", "base_url", "since", "token_last_four")
    with database.transaction(workspace) as connection:
        connection.execute(
            sa.insert(DESTINATIONS).values(
                id=id_,
                name=id_,
                workspace=workspace,
                api_version="v3",
                state="live",
                requests_per_minute=1,
                stop_count=0,
                **dict.fromkeys(texts, ""),
                **dict.fromkeys(("token_set_at", "created_at", "updated_at"), moment),
            )
        )
