"""Access tokens stay hidden, and their key stays its owner's."""

import json
import pickle
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.token_cipher import (
    SecretKeyError,
    TokenCipher,
    keep_first_key,
    load_or_create_key_file,
    put_new_key_first,
)
from snap_pipeline_tests.processes import run_at_once

TOKEN = AccessToken("secret-token")


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, lambda token: f"{[token]}", ascii])
def test_a_token_is_never_shown(show: object) -> None:
    assert callable(show)
    assert "secret" not in show(TOKEN)


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps])
def test_a_token_cannot_be_written(write: object) -> None:
    assert callable(write)
    with pytest.raises(TypeError):
        write(TOKEN)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    stored = TokenCipher(old).encrypt(TOKEN)

    both = TokenCipher(f" {new} , {old} ")

    assert both.decrypt(stored).reveal() == TokenCipher(new).decrypt(both.encrypt(TOKEN)).reveal() == "secret-token"
    with pytest.raises(SecretKeyError, match="another key"):
        TokenCipher(old).decrypt(both.encrypt(TOKEN))


def test_a_stored_token_that_was_changed_is_refused() -> None:
    cipher = TokenCipher(Fernet.generate_key().decode())
    stored = bytearray(cipher.encrypt(TOKEN))
    stored[40] ^= 1

    with pytest.raises(SecretKeyError):
        cipher.decrypt(bytes(stored))


@pytest.mark.parametrize("keys", ["", " , ", "hunter2", "hunter2ü", "a" * 44])
def test_what_is_no_key_is_refused_without_being_repeated(keys: str) -> None:
    with pytest.raises(SecretKeyError, match="openssl rand") as caught:
        TokenCipher(keys)
    assert "hunter2" not in str(caught.value)


def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "secret.key"

    keys = run_at_once(load_or_create_key_file, 3, file)

    assert set(keys) == {load_or_create_key_file(file)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    TokenCipher(keys[0])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret.key"
    load_or_create_key_file(file)
    file.chmod(mode)

    with pytest.raises(SecretKeyError, match=f"chmod 600 {file}"):
        load_or_create_key_file(file)


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match=str(tmp_path)):
        load_or_create_key_file(tmp_path / "notes" / ".." / "..")


def test_a_key_file_is_rotated_in_two_steps(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    old = load_or_create_key_file(file)
    stored = TokenCipher(old).encrypt(TOKEN)

    both = TokenCipher(put_new_key_first(file))
    renewed = both.reencrypt(stored)
    keep_first_key(file)

    new = load_or_create_key_file(file)
    assert TokenCipher(new).decrypt(renewed).reveal() == "secret-token"
    assert old not in new
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
