"""Row-level security, attacked from SQL through the pipeline's own role and engine."""

import io
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from snap_pipeline.capi.rate_limit import RateLimiter, token_fingerprint
from snap_pipeline.delivery.leases import Lease, acquire
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database
from snap_pipeline_tests.destinations.conftest import TOKEN, WORKSPACES, fields

NAMES = sa.text("select name from destinations.destinations order by name")
COPY_ROW = """
    insert into destinations.destinations
    select (jsonb_populate_record(d, '{"id": "forged", "name": "forged", "workspace": "%s"}')).*
    from destinations.destinations d
"""


@pytest.fixture
def app(postgres_url: str, database_login: str, keys: str) -> Iterator[Database]:
    """Return the database under production's login, a mere member of the pipeline's role, with a row a workspace."""
    administrator = Database(postgres_url)
    administrator.migrate()
    store = DestinationStore(administrator, lambda: TokenCipher(keys), WORKSPACES)
    for workspace in WORKSPACES:
        store.add(**fields(name=f"pixel of {workspace}", workspace=workspace))
    with sa.create_engine(postgres_url).begin() as connection:
        connection.exec_driver_sql(f"grant snap_pipeline_app to {database_login}")
    login = sa.make_url(postgres_url).set(username=database_login)
    database = Database(login.render_as_string(hide_password=False))
    database.migrate()
    yield database
    database.dispose()
    administrator.dispose()


def run(database: Database, workspace: str | None, *statements: str) -> list[str]:
    """Return the names that are visible after the statements, in the same transaction."""
    with database.transaction(workspace) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        return list(connection.scalars(NAMES))


def all_names(postgres_url: str) -> list[str]:
    with sa.create_engine(postgres_url).connect() as connection:
        return list(connection.scalars(NAMES))


UNTOUCHED = ["pixel of shop_a", "pixel of shop_b"]


def test_the_pipelines_role_has_no_power_over_the_table(app: Database) -> None:
    with app.transaction("shop_a") as connection:
        assert connection.scalar(sa.text("select current_user")) == "snap_pipeline_app"
        powers = sa.text(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin from pg_roles "
            "where rolname = current_user"
        )
        assert not any(connection.execute(powers).one())
        owned = sa.text("select count(*) from pg_class where relowner = current_user::regrole")
        assert connection.scalar(owned) == 0
        security = sa.text(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = 'destinations.destinations'::regclass"
        )
        assert tuple(connection.execute(security).one()) == (True, True)


def test_a_workspace_sees_its_own_rows_alone(app: Database) -> None:
    assert run(app, "shop_a") == ["pixel of shop_a"]
    assert run(app, "shop_b") == ["pixel of shop_b"]


@pytest.mark.parametrize("workspace", [None, "", "shop_c", "%", "shop_a,shop_b", "shop_a' or '1'='1", 'shop_a"', "\\"])
def test_without_a_workspace_or_with_a_forged_one_nothing_is_seen(app: Database, workspace: str | None) -> None:
    assert run(app, workspace) == []


def test_the_store_gets_nothing_through_a_forged_workspace(app: Database, keys: str) -> None:
    forged = "shop_a' or workspace = 'shop_b"
    assert DestinationStore(app, lambda: TokenCipher(keys), [forged]).list() == []


def test_a_pooled_connection_carries_no_workspace_over(app: Database) -> None:
    connections = set()
    for workspace, names in (("shop_a", ["pixel of shop_a"]), (None, []), ("shop_b", ["pixel of shop_b"]), (None, [])):
        with app.transaction(workspace) as connection:
            connections.add(connection.scalar(sa.text("select pg_backend_pid()")))
            assert list(connection.scalars(NAMES)) == names
    assert len(connections) == 1


def test_a_setting_left_on_a_pooled_connection_is_overridden(app: Database) -> None:
    run(app, None, "select set_config('snap_pipeline.workspace', 'shop_a', false)", "reset role")

    assert run(app, None) == []
    assert run(app, "shop_b") == ["pixel of shop_b"]


def test_rows_of_another_workspace_cannot_be_changed(app: Database, postgres_url: str) -> None:
    run(app, "shop_a", "update destinations.destinations set state = 'removed' where workspace = 'shop_b'")
    run(app, None, "update destinations.destinations set state = 'removed'")

    with sa.create_engine(postgres_url).connect() as connection:
        states = connection.scalars(sa.text("select distinct state from destinations.destinations"))
        assert list(states) == ["live"]


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (COPY_ROW % "shop_b", "violates row-level security"),
        ("update destinations.destinations set workspace = 'shop_b'", "violates row-level security"),
        ("delete from destinations.destinations", "permission denied"),
        ("truncate destinations.destinations", "permission denied"),
        ("alter table destinations.destinations disable row level security", "must be owner"),
        ("alter table destinations.destinations no force row level security", "must be owner"),
        ("drop policy own_workspace on destinations.destinations", "must be owner"),
        ("create policy all_rows on destinations.destinations using (true)", "must be owner"),
        ("create view destinations.every as select * from destinations.destinations", "permission denied"),
        ("create view public.every as select * from destinations.destinations", "permission denied"),
        ("copy destinations.destinations from stdin", "not supported with row-level security"),
        ("copy destinations.destinations to '/tmp/destinations'", "permission denied"),
        ("copy destinations.destinations to program 'cat'", "permission denied"),
        ("set role postgres", "permission denied"),
        ("set local role postgres", "permission denied"),
        ("set session authorization postgres", "permission denied"),
        ("select set_config('role', 'postgres', false)", "permission denied"),
        ("alter role snap_pipeline_app bypassrls", "permission denied"),
        ("set local row_security = off; select * from destinations.destinations", "would be affected by row-level"),
    ],
)
def test_ways_around_are_refused(app: Database, postgres_url: str, statement: str, refusal: str) -> None:
    with pytest.raises(DBAPIError, match=refusal):
        run(app, "shop_a", statement)

    assert all_names(postgres_url) == UNTOUCHED
    assert run(app, "shop_b") == ["pixel of shop_b"]


@pytest.mark.parametrize("statement", ["reset role", "set role none", "reset session authorization"])
def test_giving_the_role_up_gains_nothing(app: Database, statement: str) -> None:
    assert run(app, "shop_a", statement) == ["pixel of shop_a"]
    assert run(app, None, statement) == []


def test_a_view_of_the_roles_own_shows_no_more(app: Database) -> None:
    with app.transaction("shop_a") as connection:
        connection.exec_driver_sql("create temp view every as select * from destinations.destinations")
        assert list(connection.scalars(sa.text("select name from every"))) == ["pixel of shop_a"]
        connection.exec_driver_sql("drop view every")


def test_copy_out_holds_the_workspaces_rows_alone(app: Database) -> None:
    copied = io.StringIO()
    with app.transaction("shop_a") as connection:
        cursor = connection.connection.cursor()
        cursor.copy_expert("copy destinations.destinations (name) to stdout", copied)
    assert copied.getvalue() == "pixel of shop_a\n"


def test_the_tables_owner_is_held_as_well(app: Database, postgres_url: str) -> None:
    with sa.create_engine(postgres_url).begin() as connection:
        connection.exec_driver_sql("create role table_owner nologin; grant usage on schema destinations to table_owner")
        connection.exec_driver_sql("alter table destinations.destinations owner to table_owner; set role table_owner")
        assert list(connection.scalars(NAMES)) == []
        connection.exec_driver_sql("reset role; alter table destinations.destinations owner to postgres")
        connection.exec_driver_sql("drop owned by table_owner; drop role table_owner")


LEASES_SEEN = sa.text("select hour from snap_pipeline.leases order by hour")
LIMITS_SEEN = sa.text("select token_fingerprint from snap_pipeline.rate_limits order by token_fingerprint")
FINGERPRINT = token_fingerprint(TOKEN)


def id_of(database: Database, workspace: str) -> str:
    with database.transaction(workspace) as connection:
        return str(connection.scalar(sa.text("select id from destinations.destinations")))


def test_a_workspace_sees_and_takes_leases_of_its_own_destinations_alone(app: Database) -> None:
    own, others = id_of(app, "shop_a"), id_of(app, "shop_b")
    with acquire(app, "shop_a", own, "2026-11-20T12"), acquire(app, "shop_b", others, "2026-11-20T13"):
        seen = {}
        for workspace in ("shop_a", "shop_b", "shop_c", None):
            with app.transaction(workspace) as connection:
                seen[workspace] = list(connection.scalars(LEASES_SEEN))
        assert seen == {"shop_a": ["2026-11-20T12"], "shop_b": ["2026-11-20T13"], "shop_c": [], None: []}

        with app.transaction("shop_a") as connection:
            connection.exec_driver_sql("delete from snap_pipeline.leases")
            assert list(connection.scalars(LEASES_SEEN)) == []
            connection.rollback()
        with pytest.raises(DBAPIError, match="violates row-level security"):
            Lease(app, "shop_a", others, "2026-11-20T14", 60).take()
        with pytest.raises(DBAPIError, match="violates row-level security"):
            Lease(app, "shop_a", others, "2026-11-20T13", 60).take()
    with app.transaction("shop_b") as connection:
        assert list(connection.scalars(LEASES_SEEN)) == []


def test_a_rate_limit_is_seen_by_whoever_knows_the_token_in_any_workspace(app: Database) -> None:
    limiter = RateLimiter(app, sleep=lambda _: None)
    limiter.acquire(FINGERPRINT, 60_000)
    limiter.pause(token_fingerprint("another token"), 600)

    for workspace, known, seen in (
        (None, FINGERPRINT, [FINGERPRINT]),
        ("shop_b", FINGERPRINT, [FINGERPRINT]),
        ("shop_a", None, []),
        ("shop_a", "%", []),
        ("shop_a", f"{FINGERPRINT}' or '1'='1", []),
    ):
        with app.transaction(workspace, token_fingerprint=known) as connection:
            assert list(connection.scalars(LIMITS_SEEN)) == seen
            connection.exec_driver_sql("update snap_pipeline.rate_limits set paused_until = 0")
    with app.transaction(token_fingerprint=token_fingerprint("another token")) as connection:
        assert connection.scalar(sa.text("select paused_until > 0 from snap_pipeline.rate_limits")) is True


@pytest.mark.parametrize("table", ["destinations.destinations", "snap_pipeline.leases", "snap_pipeline.rate_limits"])
def test_every_table_with_a_workspaces_rows_is_under_forced_row_level_security(app: Database, table: str) -> None:
    with app.transaction() as connection:
        security = sa.text(f"select relrowsecurity, relforcerowsecurity from pg_class where oid = '{table}'::regclass")
        assert tuple(connection.execute(security).one()) == (True, True)
        assert list(connection.scalars(sa.text(f"select 1 from {table}"))) == []


@pytest.mark.parametrize(
    "statement",
    [
        "delete from destinations.workspaces",
        "insert into destinations.workspaces values ('forged')",
        "update destinations.workspaces set name = 'forged'",
        "alter table snap_pipeline.leases disable row level security",
        "drop policy of_own_destination on snap_pipeline.leases",
        "alter table snap_pipeline.rate_limits no force row level security",
        "alter table destinations.destinations disable trigger remember_workspace",
    ],
)
def test_what_rotate_key_and_the_policies_rely_on_cannot_be_changed(app: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        run(app, "shop_a", statement)
