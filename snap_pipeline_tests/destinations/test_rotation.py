"""Rotations of the key: at once, cut short, and with tokens of workspaces that are not configured."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations import rotation, token_cipher
from snap_pipeline.destinations.rotation import encrypt_under_first_key, rotate_key_file
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.destinations.token_cipher import SecretKeyError, TokenCipher, load_or_create_key_file
from snap_pipeline.state.database import Database
from snap_pipeline_tests.destinations.conftest import TOKEN, WORKSPACES, Add, fields
from snap_pipeline_tests.processes import SPAWN, run_at_once

FORKS = multiprocessing.get_context("fork")


class Home:
    """A key file, and a state database on SQLite with a destination in each of two workspaces."""

    def __init__(self, folder: Path) -> None:
        self.url, self.key_file = f"sqlite:///{folder / 'state.db'}", folder / "secret.key"
        self.database = Database(self.url)
        self.database.migrate()
        self.store = DestinationStore(
            self.database, lambda: TokenCipher(load_or_create_key_file(self.key_file)), WORKSPACES
        )
        for workspace in WORKSPACES:
            self.store.add(**fields(name=f"pixel of {workspace}", workspace=workspace))

    def tokens(self) -> list[str]:
        """Return every token, as a process reads it that starts now."""
        return [self.store.access_token(each).reveal() for each in self.store.list()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def save_and_read(url: str, key_file: Path) -> str:
    """Save and read a token again and again, while other processes rotate the key."""
    store = DestinationStore(Database(url), lambda: TokenCipher(load_or_create_key_file(key_file)), WORKSPACES)
    destination = store.list()[0]
    for number in range(30):
        if number % 3 == 0:
            store.rotate_token(destination.name, AccessToken(TOKEN))
        store.access_token(destination)
    return "saved"


def rotate_again_and_again(url: str, key_file: Path) -> str:
    for _ in range(10):
        rotate_key_file(Database(url), key_file)
    return "rotated"


def work(url: str, key_file: Path, turns: Any) -> str:
    """Run the part of one of several processes."""
    chosen: Callable[[str, Path], str] = turns.get()
    return chosen(url, key_file)


def test_rotations_at_once_lose_no_token(home: Home) -> None:
    assert run_at_once(rotate_again_and_again, 3, home.url, home.key_file)

    assert home.tokens() == [TOKEN, TOKEN]
    assert "," not in home.key_file.read_text()


def test_tokens_are_saved_and_read_while_the_key_is_rotated(home: Home) -> None:
    turns = SPAWN.Queue()
    for each in (rotate_again_and_again, save_and_read, save_and_read):
        turns.put(each)

    assert sorted(run_at_once(work, 3, home.url, home.key_file, turns)) == ["rotated", "saved", "saved"]

    assert home.tokens() == [TOKEN, TOKEN]


def rotate_until_killed(url: str, key_file: Path, calls: int) -> None:
    """Run a rotation that is killed at one of its calls; it returns if it makes fewer."""
    left = calls

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal left
        if "call" in event and frame.f_globals.get("__name__", "").startswith("snap_pipeline.destinations"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    database = Database(url)
    sys.setprofile(count)
    rotate_key_file(database, key_file)
    sys.setprofile(None)


def test_a_kill_at_any_moment_leaves_every_token_readable(home: Home) -> None:
    kills, ended = 0, -signal.SIGKILL
    while ended:
        home.database.dispose()  # no connection may be shared with a process that is killed
        process = FORKS.Process(target=rotate_until_killed, args=(home.url, home.key_file, kills * 7))
        process.start()
        process.join()
        ended = process.exitcode
        assert ended in (0, -signal.SIGKILL)
        kills += ended != 0
        assert home.tokens() == [TOKEN, TOKEN], f"killed after {kills * 7} calls"
    assert kills > 10
    assert "," not in home.key_file.read_text()


def test_the_new_key_is_durable_before_a_token_is_under_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    token_cipher.put_new_key_first(home.key_file)

    assert [path.is_dir() for path in flushed] == [False, True]
    assert flushed[-1] == home.key_file.parent


def test_an_old_key_stays_as_long_as_a_token_is_under_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    put_new_key_first = token_cipher.put_new_key_first

    def put_another_first(path: Path) -> str:
        keys = put_new_key_first(path)
        put_new_key_first(path)  # another rotation, which is killed before it encrypts anything
        return keys

    monkeypatch.setattr(rotation, "put_new_key_first", put_another_first)
    with pytest.raises(SecretKeyError, match="keeps its old keys"):
        rotate_key_file(home.database, home.key_file)
    monkeypatch.undo()

    assert home.tokens() == [TOKEN, TOKEN]
    assert home.key_file.read_text().count(",") == 2
    rotate_key_file(home.database, home.key_file)
    assert home.tokens() == [TOKEN, TOKEN]
    assert "," not in home.key_file.read_text()


def test_all_tokens_are_encrypted_again_or_none(
    database: Database, store: DestinationStore, add: Add, keys: str
) -> None:
    shop, other = add(), add(name="other", workspace="shop_b")
    add(name="gone", pixel_id="99999999-2222-4333-8444-555555555555")
    store.remove("gone")
    new = Fernet.generate_key().decode()
    stranger = TokenCipher(new)

    with pytest.raises(SecretKeyError, match="shop in workspace shop_a: "):
        encrypt_under_first_key(database, stranger)
    assert encrypt_under_first_key(database, TokenCipher(f"{new},{keys}")) == {"shop_a": 1, "shop_b": 1}

    renewed = DestinationStore(database, lambda: stranger, WORKSPACES)
    assert [renewed.access_token(each).reveal() for each in (shop, other)] == [TOKEN, TOKEN]
    with pytest.raises(SecretKeyError, match="SNAP_PIPELINE_SECRET_KEY the key it was saved with"):
        store.access_token(shop)


def test_under_row_level_security_no_workspace_is_left_out(postgres_url: str, database_login: str, keys: str) -> None:
    administrator = Database(postgres_url)
    administrator.migrate()
    store = DestinationStore(administrator, lambda: TokenCipher(keys), WORKSPACES)
    destinations = [store.add(**fields(name=name, workspace=name))[0] for name in WORKSPACES]
    with sa.create_engine(postgres_url).begin() as connection:
        connection.exec_driver_sql(f"grant snap_pipeline_app to {database_login}")
    login = sa.make_url(postgres_url).set(username=database_login).render_as_string(hide_password=False)
    new = Fernet.generate_key().decode()

    renewed = encrypt_under_first_key(Database(login), TokenCipher(f"{new},{keys}"))

    assert renewed == {"shop_a": 1, "shop_b": 1}
    after = DestinationStore(Database(login), lambda: TokenCipher(new), WORKSPACES)
    assert [after.access_token(each).reveal() for each in destinations] == [TOKEN, TOKEN]
