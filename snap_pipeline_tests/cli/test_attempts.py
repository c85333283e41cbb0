"""Invalid input of `destination add`: a clear error without secrets, and nothing stored, on SQLite and Postgres."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from snap_pipeline_tests.project import PIXEL_ID, Project

SECRET = "a-token-that-nobody-may-see"
VALID = {"--name": "shop", "--workspace": "default", "--pixel-id": PIXEL_ID, "--base-url": "https://tr.snapchat.com"}


@pytest.fixture
def on(project: Project, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with its state in either database."""
    secret = Fernet.generate_key().decode()
    monkeypatch.setenv("SNAP_PIPELINE_STATE_URL", database_url)
    monkeypatch.setenv("SNAP_PIPELINE_SECRET_KEY", secret)
    project.reopen(database_url=SecretStr(database_url), secret_key=SecretStr(secret))
    return project


@pytest.mark.parametrize(
    ("changes", "token", "message"),
    [
        ({"--pixel-id": "1234"}, SECRET, "The Pixel ID must be a UUID"),
        ({"--snap-app-id": "com.example.app"}, SECRET, "The Snap App ID must be a UUID"),
        ({}, f"{SECRET}\nsecond line", "The access token must be one line"),
        ({}, "", "The access token must be one line"),
        ({"--base-url": f"https://user:{SECRET}@tr.snapchat.com"}, SECRET, "without credentials"),
        ({"--base-url": "http://tr.snapchat.com"}, SECRET, "must begin with https://"),
        ({"--base-url": "http://127.0.0.1.example.com"}, SECRET, "must begin with https://"),
        ({"--name": "n" * 10_000}, SECRET, "The name must have 1 to 64"),
        ({"--name": "x'; drop table destinations; --"}, SECRET, "The name must have 1 to 64"),
        ({"--workspace": "nowhere"}, SECRET, "there is no workspace 'nowhere'. Configured: default"),
        ({"--workspace": "default' or '1'='1"}, SECRET, "there is no workspace"),
        ({"--requests-per-minute": "0"}, SECRET, "between 1 and 60,000"),
        ({"--api-version": "v4"}, SECRET, "'v4' is not one of 'v3', 'v2'"),
        ({"--since": "yesterday"}, SECRET, "is not an hour"),
    ],
)
def test_an_attempt_is_refused_with_a_clear_error_and_nothing_is_stored(
    run, on: Project, changes: dict[str, str], token: str, message: str
) -> None:
    arguments = [part for option in (VALID | changes).items() for part in option]

    result = run("destination", "add", *arguments, token=token)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert len(result.stderr) < 600
    assert SECRET not in result.output
    assert "Traceback" not in result.output
    assert on.pipeline.destinations.list(include_removed=True) == []


def test_a_token_that_does_not_look_long_lived_is_saved_with_a_warning(run) -> None:
    arguments = [part for option in VALID.items() for part in option]
    added = run("destination", "add", *arguments, "--no-test")
    assert added.exit_code == 0
    assert "Warning: The access token does not look like a long-lived one" in added.stderr


def test_no_token_is_too_short_for_a_server_on_this_machine(run, project: Project) -> None:
    arguments = [part for option in (VALID | {"--base-url": project.sandbox_url}).items() for part in option]
    for command in (["add", *arguments, "--no-test"], ["rotate-token", "shop"]):
        result = run("destination", *command)
        assert result.exit_code == 0
        assert "Warning" not in result.stderr
