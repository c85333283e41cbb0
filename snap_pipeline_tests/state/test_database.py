"""The state database: made, migrated and reached, on SQLite and Postgres."""

import logging
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from snap_pipeline.state import migrations
from snap_pipeline.state.database import Database, StateDatabaseError
from snap_pipeline.state.tables import DESTINATIONS, LEASES, METADATA, WORKSPACES
from snap_pipeline_tests.processes import run_at_once
from snap_pipeline_tests.state.rows import WORKSPACE, add_destination_row


def migrate(url: str) -> str:
    database = Database(url)
    database.migrate()
    return "migrated"


def add_lease(database: Database, hour: str) -> None:
    add_destination_row(database, "d")
    with database.transaction(WORKSPACE) as connection:
        connection.execute(sa.insert(LEASES).values(destination_id="d", hour=hour, holder="h", expires_at=1.0))


def hours(database: Database) -> list[str]:
    with database.transaction(WORKSPACE, read_only=True) as connection:
        return list(connection.scalars(sa.select(LEASES.c.hour).order_by(LEASES.c.hour)))


def test_processes_that_start_at_once_agree_on_one_migration(database_url: str) -> None:
    assert run_at_once(migrate, 4, database_url) == ["migrated"] * 4

    add_lease(Database(database_url), "2026-11-20T12")


def test_migrations_make_the_tables_that_the_code_uses(database_url: str, database: Database) -> None:
    engine = sa.create_engine(database_url)
    is_sqlite = engine.dialect.name == "sqlite"
    expected = sa.MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(expected, schema=None if is_sqlite else table.schema)
    options = {"version_table": migrations.VERSION_TABLE, "include_schemas": not is_sqlite, "compare_type": True}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), expected)
    assert differences == []


def test_migrations_can_be_run_again_over_what_is_there(database_url: str, database: Database) -> None:
    add_lease(database, "2026-11-20T12")
    with sa.create_engine(database_url).begin() as connection:
        connection.exec_driver_sql(f"delete from {migrations.VERSION_TABLE}")

    database.migrate()

    assert hours(database) == ["2026-11-20T12"]


def test_a_database_of_the_first_version_is_brought_up_to_date(database_url: str, database: Database) -> None:
    prefix = "" if database.is_sqlite else "destinations."
    with sa.create_engine(database_url).begin() as connection:
        connection.exec_driver_sql(f"alter table {prefix}destinations drop column state_since")
        connection.exec_driver_sql(f"update {migrations.VERSION_TABLE} set version_num = '0001'")

    database.migrate()

    with database.transaction(read_only=True) as connection:
        assert connection.scalars(sa.select(DESTINATIONS.c.state_since)).all() == []


def test_destinations_of_the_third_version_get_snaps_own_age_limits(database_url: str, database: Database) -> None:
    add_destination_row(database, "d")
    prefix = "" if database.is_sqlite else "destinations."
    with sa.create_engine(database_url).begin() as connection:
        for name in ("web_age_days", "offline_age_days"):
            connection.exec_driver_sql(f"alter table {prefix}destinations drop column {name}")
        connection.exec_driver_sql(f"update {migrations.VERSION_TABLE} set version_num = '0003'")

    database.migrate()

    with database.transaction(WORKSPACE) as connection:
        limits = sa.select(DESTINATIONS.c.web_age_days, DESTINATIONS.c.offline_age_days)
        assert connection.execute(limits).tuples().all() == [(7, 37)]
        connection.execute(sa.update(DESTINATIONS).values(web_age_days=3))


def test_destinations_of_the_fourth_version_have_no_ids_of_stores(database_url: str, database: Database) -> None:
    add_destination_row(database, "d")
    prefix = "" if database.is_sqlite else "destinations."
    with sa.create_engine(database_url).begin() as connection:
        for name in ("ios_app_id", "android_app_id"):
            connection.exec_driver_sql(f"alter table {prefix}destinations drop column {name}")
        connection.exec_driver_sql(f"update {migrations.VERSION_TABLE} set version_num = '0004'")

    database.migrate()

    with database.transaction(WORKSPACE) as connection:
        store_ids = sa.select(DESTINATIONS.c.ios_app_id, DESTINATIONS.c.android_app_id)
        assert connection.execute(store_ids).tuples().all() == [(None, None)]
        connection.execute(sa.update(DESTINATIONS).values(ios_app_id="447188370"))


def test_workspaces_of_a_database_of_the_second_version_are_known(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    database = Database(database_url)
    if not database.is_sqlite:
        database = owned_by(request.getfixturevalue("database_login"), database_url)
    database.migrate()
    add_destination_row(database, "d")
    prefix = "" if database.is_sqlite else "destinations."
    with sa.create_engine(database_url).begin() as connection:
        connection.exec_driver_sql(f"delete from {prefix}workspaces")
        connection.exec_driver_sql(f"update {migrations.VERSION_TABLE} set version_num = '0002'")

    database.migrate()
    add_destination_row(database, "e", "shop_b")

    with database.transaction() as connection:
        assert sorted(connection.scalars(sa.select(WORKSPACES.c.name))) == [WORKSPACE, "shop_b"]


def owned_by(login: str, url: str) -> Database:
    """Return the empty state database under a login that owns it and is no superuser, as in production."""
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql(f'alter database "{sa.make_url(url).database}" owner to {login}')
        connection.exec_driver_sql(f"alter role {login} createrole")
        connection.exec_driver_sql("drop role if exists snap_pipeline_app")
    return Database(sa.make_url(url).set(username=login).render_as_string(hide_password=False))


def test_a_database_of_a_newer_version_is_left_alone(database_url: str, database: Database) -> None:
    with sa.create_engine(database_url).begin() as connection:
        connection.exec_driver_sql(f"update {migrations.VERSION_TABLE} set version_num = '9999'")

    with pytest.raises(StateDatabaseError, match="newer snap_pipeline"):
        database.migrate()


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    def write_and_fail() -> None:
        with database.transaction(WORKSPACE) as connection:
            connection.execute(sa.insert(LEASES).values(destination_id="d", hour="h", holder="h", expires_at=1.0))
            raise ArithmeticError

    add_destination_row(database, "d")
    with pytest.raises(ArithmeticError):
        write_and_fail()

    assert hours(database) == []


def test_sqlite_is_its_owners_alone_durable_and_open_to_readers_while_somebody_writes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "home" / "state.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()

    with database.transaction() as connection:
        connection.execute(sa.insert(LEASES).values(destination_id="d", hour="h", holder="h", expires_at=1.0))
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 30_000
        assert hours(database) == []
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "url", ["", "state.db", "mysql://root:hunter2@db/x", "sqlite://", "postgresql+asyncpg://u:hunter2@db/x"]
)
def test_a_url_of_another_kind_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(StateDatabaseError, match="must be sqlite") as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_an_unreachable_postgres_is_named_without_its_password() -> None:
    database = Database("postgresql://shop:hunter2@127.0.0.1:1/state?sslpassword=hunter3")

    with pytest.raises(StateDatabaseError, match=r"shop:\*\*\*@127\.0\.0\.1:1/state") as caught:
        database.migrate()

    assert "hunter" not in str(caught.value)


def test_a_folder_or_a_text_file_in_place_of_the_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database, " * 1_000)

    for path in (tmp_path, text, text / "state.db"):
        with pytest.raises(StateDatabaseError, match=str(path)):
            Database(f"sqlite:///{path}").migrate()


def test_a_login_that_is_no_member_of_the_role_is_told_what_to_ask_for(postgres_url: str, database_login: str) -> None:
    Database(postgres_url).migrate()
    url = sa.make_url(postgres_url).set(username=database_login).render_as_string(hide_password=False)
    stranger = Database(url)

    with pytest.raises(StateDatabaseError, match="may not migrate"):
        stranger.migrate()
    with pytest.raises(StateDatabaseError, match=f'grant snap_pipeline_app to "{database_login}"'):
        hours(stranger)


def test_an_owner_that_is_no_superuser_can_migrate_and_work(
    postgres_url: str, database_login: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = owned_by(database_login, postgres_url)

    with caplog.at_level(logging.WARNING):
        database.migrate()
    add_lease(database, "2026-11-20T12")

    assert hours(database) == ["2026-11-20T12"]
    assert caplog.messages == []


def test_a_login_above_row_level_security_is_warned_of(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Database(postgres_url).migrate()

    assert "bypasses row-level security" in caplog.text
