"""`rotate-key`: encrypts every stored access token under a new key."""

import click

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.destinations.rotation import encrypt_under_first_key, rotate_key_file
from snap_pipeline.destinations.token_cipher import SecretKeyError
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import quantity

MAKE_A_KEY = "`openssl rand -base64 32 | tr '+/' '-_'`"


@click.command(name="rotate-key")
def rotate_key() -> None:
    """Encrypt every stored access token again, under a new key.

    With a key file in the home, the command makes a new key itself. If SNAP_PIPELINE_SECRET_KEY holds the keys: put the
    new key before the old ones, separated by commas, for every process; run this command; then remove the old keys.
    """
    pipeline = open_pipeline()
    if pipeline.settings.secret_key is None and pipeline.database.is_sqlite:
        pipeline.open_cipher()  # a lost key file is no reason to make another one
        file = pipeline.settings.secret_key_file
        renewed = rotate_key_file(pipeline.database, file)
        result = f"encrypted under a new key, in {file}."
    else:
        cipher = pipeline.open_cipher()
        _require_several_keys(pipeline)
        renewed = encrypt_under_first_key(pipeline.database, cipher)
        result = (
            "encrypted under the first key of SNAP_PIPELINE_SECRET_KEY. The other keys are no longer needed: "
            "remove them, for every process."
        )
    click.echo(f"{quantity(sum(renewed.values()), 'access token')} {result}")
    unnamed = sorted(set(renewed) - set(pipeline.workspaces))
    if unnamed:
        click.echo(f"They include tokens of workspaces that workspaces.toml does not name: {', '.join(unnamed)}.")


def _require_several_keys(pipeline: Pipeline) -> None:
    setting = pipeline.settings.secret_key
    keys = [key for key in setting.get_secret_value().split(",") if key.strip()] if setting else []
    if len(keys) < 2:
        raise SecretKeyError(
            f"SNAP_PIPELINE_SECRET_KEY holds one key. Make a new one with {MAKE_A_KEY}, put it before the old "
            "one, separated by a comma, for every process, and run this again."
        )
