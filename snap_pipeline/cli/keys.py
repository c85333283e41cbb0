"""`rotate-key`: every stored access token under a new key."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.destinations.tokens import SecretKeyError, keep_first_key, put_new_key_first
from snap_pipeline.pipeline import Pipeline

MAKE_A_KEY = "`openssl rand -base64 32 | tr '+/' '-_'`"


@click.command(name="rotate-key")
def rotate_key() -> None:
    """Encrypt every stored access token again, under a new key.

    The key file of the home gets a new key. Where SNAP_PIPELINE_SECRET_KEY holds the keys, put the new one before the
    old ones, with commas between, for every process; run this; then take the old ones out.
    """
    pipeline = open_pipeline()
    rotate = _rotate_file if pipeline.settings.secret_key is None and pipeline.database.is_sqlite else _rotate_setting
    click.echo(rotate(pipeline))


def _rotate_file(pipeline: Pipeline) -> str:
    """The old keys stay in the file until every token is under the new one, so that it can be stopped at any point."""
    file = pipeline.settings.secret_key_file
    put_new_key_first(file)
    renewed = pipeline.destinations.reencrypt_tokens()
    keep_first_key(file)
    return f"{renewed} access tokens are encrypted under a new key, in {file}. Restart what is running on this home."


def _rotate_setting(pipeline: Pipeline) -> str:
    setting = pipeline.settings.secret_key
    keys = [key for key in setting.get_secret_value().split(",") if key.strip()] if setting else []
    if len(keys) == 1:
        raise SecretKeyError(
            f"SNAP_PIPELINE_SECRET_KEY holds one key. Make another with {MAKE_A_KEY}, put it first, with a comma "
            "between, for every process, and run this again."
        )
    renewed = pipeline.destinations.reencrypt_tokens()
    return (
        f"{renewed} access tokens are encrypted under the first key of SNAP_PIPELINE_SECRET_KEY. The others are "
        "needed no more: take them out, for every process."
    )
