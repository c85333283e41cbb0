"""Encryption of stored access tokens, and the key file. The tokens themselves are kept by `store.py`."""

import stat
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.errors import PipelineError
from snap_pipeline.files import atomic_write, private_draft


class SecretKeyError(PipelineError):
    """The key that encrypts access tokens is missing, malformed, readable by others, or the wrong one."""


class TokenCipher:
    """The cipher of access tokens (Fernet: AES-128 in CBC mode, authenticated by HMAC-SHA256).

    Args:
        keys: one Fernet key, or several with commas between; the first encrypts, all of them decrypt.

    Raises:
        SecretKeyError: one of them is not a valid key.
    """

    def __init__(self, keys: str) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError:
            raise SecretKeyError(
                "The secret key, from SNAP_PIPELINE_SECRET_KEY or the key file, cannot be used. It must be 32 random "
                "bytes in URL-safe base64, or several such keys with commas between: "
                "`openssl rand -base64 32 | tr '+/' '-_'`."
            ) from None

    def encrypt(self, token: AccessToken) -> bytes:
        """Encrypt a token for storage."""
        return self._fernet.encrypt(token.reveal().encode())

    def decrypt(self, stored: bytes) -> AccessToken:
        """Decrypt a stored token.

        Raises:
            SecretKeyError: it was encrypted with another key, or changed since.
        """
        try:
            return AccessToken(self._fernet.decrypt(stored).decode())
        except InvalidToken:
            raise _wrong_key() from None

    def reencrypt(self, stored: bytes) -> bytes:
        """Encrypt a stored token again, under the first key.

        Raises:
            SecretKeyError: it was encrypted with another key, or changed since.
        """
        try:
            return self._fernet.rotate(stored)
        except InvalidToken:
            raise _wrong_key() from None


def load_or_create_key_file(path: Path) -> str:
    """Return the keys of a home's key file, which is made on first use and readable by its owner only.

    Raises:
        SecretKeyError: others may read the file, or it cannot be read or made.
    """
    try:
        if not path.exists():
            _write(path, Fernet.generate_key().decode(), replace=False)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SecretKeyError(
                f"{path} can be read by others, and it decrypts every access token. Run `chmod 600 {path}`, and where "
                "others may have read it, `snap-pipeline rotate-key`."
            )
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretKeyError(f"The key file {path} cannot be used: {error}.") from None


def lost_key_file(path: Path, destinations: Sequence[str]) -> SecretKeyError:
    """Return the error of a key file that is gone while it is needed to decrypt the tokens of destinations."""
    return SecretKeyError(
        f"{path} is gone. The access tokens of {', '.join(destinations)} were encrypted with it, so no other one is "
        "made. Restore it from a backup, or set SNAP_PIPELINE_SECRET_KEY to the key. If it is lost, make one with "
        f"`(umask 077; openssl rand -base64 32 | tr '+/' '-_' > {quote(str(path))})`, then save each token again with "
        "`snap-pipeline destination rotate-token`."
    )


def put_new_key_first(path: Path) -> str:
    """Generate a key, write it into the key file before the others, and return them all.

    This is the first step of a rotation. The last is `keep_first_key`, once every token is encrypted again
    (`rotation.py`).
    """
    keys = f"{Fernet.generate_key().decode()},{load_or_create_key_file(path)}"
    _write(path, keys, replace=True)
    return keys


def keep_first_key(path: Path) -> None:
    """Remove the old keys from the key file."""
    _write(path, load_or_create_key_file(path).split(",")[0], replace=True)


def _wrong_key() -> SecretKeyError:
    return SecretKeyError(
        "A stored access token was encrypted with another key. Give SNAP_PIPELINE_SECRET_KEY the key it was saved with "
        "(old keys go after the new one, with commas between), or save the token again with "
        "`snap-pipeline destination rotate-token`."
    )


def _write(path: Path, keys: str, *, replace: bool) -> None:
    """Write the key file, never readable by others.

    It must be durable: a token may be stored under the new key as soon as this returns, and a power cut must not bring
    the file without that key back.
    """
    with atomic_write(path, private_draft(path), replace=replace) as draft:
        draft.write_text(keys, encoding="ascii")
