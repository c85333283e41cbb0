"""Rotation of the secret key (`rotate-key`): the stored access tokens of all workspaces go under a new key.

Both steps hold the write lock of the state database (SQLite) or of the rows (Postgres). Saving and reading a token take
that lock too before they read the keys (`store.py`). So no token is ever encrypted under a key that is gone, even with
two rotations at once or a crash at any moment: the new key is durable before a token is encrypted under it, and an old
key is removed only while all tokens are seen to be under the first one.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from snap_pipeline.destinations.token_cipher import (
    SecretKeyError,
    TokenCipher,
    keep_first_key,
    load_or_create_key_file,
    put_new_key_first,
)
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS, WORKSPACES


def rotate_key_file(database: Database, file: Path) -> Mapping[str, int]:
    """Put a new key into the key file, encrypt every token under it, and remove the old keys.

    Returns:
        the number of tokens by workspace.

    Raises:
        SecretKeyError: a token is under none of the file's keys, and nothing is changed; or one was saved under an
            old key meanwhile, and the old keys stay.
    """
    with database.transaction() as connection:
        _reencrypt_tokens(
            database, connection, TokenCipher(load_or_create_key_file(file))
        )  # raises before a new key is made
        renewed = _reencrypt_tokens(database, connection, TokenCipher(put_new_key_first(file)))
    with database.transaction() as connection:
        first_key, *_ = load_or_create_key_file(file).split(",")
        try:
            _reencrypt_tokens(database, connection, TokenCipher(first_key))
        except SecretKeyError:
            raise SecretKeyError(
                f"{file} keeps its old keys: another rotation was interrupted meanwhile, or a process that had "
                "started before saved a token under one of them. Run `snap-pipeline rotate-key` again."
            ) from None
        keep_first_key(file)
    return renewed


def encrypt_under_first_key(database: Database, cipher: TokenCipher) -> Mapping[str, int]:
    """Encrypt every token again under the cipher's first key, all of them or none.

    Returns:
        the number of tokens by workspace.

    Raises:
        SecretKeyError: a token was encrypted with another key; nothing is changed.
    """
    with database.transaction() as connection:
        return _reencrypt_tokens(database, connection, cipher)


def _reencrypt_tokens(database: Database, connection: sa.Connection, cipher: TokenCipher) -> Mapping[str, int]:
    """Encrypt every token under the cipher's first key.

    Row-level security shows one workspace at a time, so they are visited by name. The order is fixed, so that two
    rotations cannot deadlock.
    """
    columns = DESTINATIONS.c.id, DESTINATIONS.c.name, DESTINATIONS.c.token_encrypted
    counts: Counter[str] = Counter()
    for workspace in sorted(connection.scalars(sa.select(WORKSPACES.c.name))):
        database.change_workspace(connection, workspace)
        stored = DESTINATIONS.c.workspace == workspace, DESTINATIONS.c.token_encrypted.is_not(None)
        query = sa.select(*columns).where(*stored).order_by(DESTINATIONS.c.id).with_for_update()
        for id_, name, token in connection.execute(query).all():
            try:
                renewed = cipher.reencrypt(token)
            except SecretKeyError as error:
                raise SecretKeyError(f"{name} in workspace {workspace}: {error}") from None
            update = sa.update(DESTINATIONS).where(DESTINATIONS.c.id == id_)
            connection.execute(update.values(token_encrypted=renewed))
            counts[workspace] += 1
    return counts
