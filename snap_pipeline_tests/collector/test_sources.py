"""Sources and their write keys, in the store and on the command line."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from snap_pipeline.cli import main
from snap_pipeline.collector.sources import SourceStore, SourceTaken, UnknownSource, digest_of
from snap_pipeline.errors import InvalidValue
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import SOURCES
from snap_pipeline_tests.project import NOW, START, Project

Run = Callable[..., Result]


@pytest.fixture
def store(database: Database) -> SourceStore:
    return SourceStore(database, ("shop_a", "shop_b"))


def test_the_store_keeps_a_digest_of_the_key(store: SourceStore, database: Database) -> None:
    source, key = store.add("checkout", "shop_a", "server")
    assert (source.key_digest, source.key_last_four) == (digest_of(key), key[-4:])
    assert store.list() == [source] == [store.get("checkout")]
    with database.transaction("shop_a") as connection:
        assert key not in str(connection.execute(sa.select(SOURCES)).all())


def test_a_name_is_unique_over_all_workspaces(store: SourceStore) -> None:
    store.add("shop", "shop_a", "web")
    for workspace in ("shop_a", "shop_b"):
        with pytest.raises(SourceTaken, match="already"):
            store.add("shop", workspace, "web")


@pytest.mark.parametrize(("name", "workspace"), [("", "shop_a"), (" x", "shop_a"), ("a" * 65, "shop_a"), ("x", "y")])
def test_a_name_or_workspace_that_cannot_be_used_is_refused(store: SourceStore, name: str, workspace: str) -> None:
    with pytest.raises(InvalidValue):
        store.add(name, workspace, "web")


def test_a_new_key_replaces_the_old_one_and_a_removed_source_is_gone(store: SourceStore) -> None:
    _, key = store.add("shop", "shop_a", "web")
    renewed = store.rotate_key("shop")
    assert renewed != key
    assert store.get("shop").key_digest == digest_of(renewed)
    store.remove("shop")
    assert store.list() == []
    for change in (store.get, store.rotate_key, store.remove):
        with pytest.raises(UnknownSource, match="source list"):
            change("shop")


def test_no_key_is_made_for_a_source_that_is_removed_meanwhile(
    store: SourceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = store.add("shop", "shop_a", "web")
    store.remove("shop")
    monkeypatch.setattr(store, "get", lambda _: source)
    with pytest.raises(UnknownSource):
        store.rotate_key("shop")


def test_on_postgres_a_workspace_sees_its_own_sources(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.migrate()
    store = SourceStore(database, ("shop_a", "shop_b"))
    store.add("a", "shop_a", "web")
    store.add("b", "shop_b", "web")
    names = sa.select(SOURCES.c.name)
    for workspace, visible in (("shop_a", ["a"]), ("shop_b", ["b"]), (None, [])):
        with database.transaction(workspace) as connection:
            assert list(connection.scalars(names)) == visible
            connection.execute(sa.delete(SOURCES).where(SOURCES.c.name.notin_(visible)))
    assert [source.name for source in store.list()] == ["a", "b"]
    database.dispose()


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(project.settings.home))
    monkeypatch.setenv("SNAP_PIPELINE_START", START)
    monkeypatch.setenv("SNAP_PIPELINE_NOW", NOW.isoformat())
    return lambda *arguments, **options: CliRunner().invoke(main, list(arguments), **options)


def test_the_command_shows_a_key_once(run: Run) -> None:
    added = run("source", "add", "checkout", "--kind", "server")
    key = added.output.strip().rpartition(" ")[2]
    assert key.startswith("wk_")
    for shown in (run("source", "list"), run("source", "show", "checkout")):
        assert shown.exit_code == 0
        assert key not in shown.output
        assert f"…{key[-4:]}" in shown.output
    assert "already" in run("source", "add", "checkout", "--kind", "web").stderr
    renewed = run("source", "rotate-key", "checkout").output
    assert "Write key, shown this once: wk_" in renewed
    assert key not in renewed
    assert run("source", "remove", "checkout", input="n\n").exit_code == 1
    assert "is removed" in run("source", "remove", "checkout", "--yes").output
    assert "There is no source" in run("source", "show", "checkout").stderr


@pytest.mark.parametrize("options", [["--trusted-proxy", "shop.example"], ["--path", "events"], ["--port", "0"]])
def test_options_that_cannot_be_used_are_bad_usage(run: Run, options: list[str]) -> None:
    assert run("collect", *options).exit_code == 2
