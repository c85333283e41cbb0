"""`rotate-key`, with keys in the home's file and in the environment, on SQLite and Postgres."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.token_cipher import SecretKeyError
from snap_pipeline_tests.project import TOKEN, Project


def token_of(project: Project, **settings: object) -> str:
    """Read the destination's token, as a new process would."""
    project.reopen(**settings)
    return project.pipeline.destinations.access_token(project.pipeline.destinations.get("shop")).reveal()


def test_the_key_file_is_replaced_and_the_token_stays(run, project: Project) -> None:
    project.add_destination()
    old = project.settings.secret_key_file.read_text()

    result = run("rotate-key")

    assert result.exit_code == 0, result.output
    assert "1 access token encrypted under a new key" in result.stdout
    new = project.settings.secret_key_file.read_text()
    assert old not in new
    assert new not in result.output
    assert token_of(project) == TOKEN
    assert run("destination", "test", "shop").exit_code == 0


def test_a_rotation_that_was_cut_short_is_finished_by_the_next_one(
    run, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.add_destination()
    with monkeypatch.context() as patch:
        patch.setattr(
            "snap_pipeline.destinations.rotation.keep_first_key", lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        assert run("rotate-key").exit_code != 0
    assert token_of(project) == TOKEN
    assert run("rotate-key").exit_code == 0
    assert "," not in project.settings.secret_key_file.read_text()
    assert token_of(project) == TOKEN


def test_a_workspace_that_is_missing_from_the_file_at_that_moment_loses_no_token(run, project: Project) -> None:
    file = project.settings.home / "workspaces.toml"
    file.write_text("[default]\n[other]\n")
    project.reopen()
    project.add_destination()
    project.add_destination("beside", workspace="other")
    file.write_text("[default]\n")

    result = run("rotate-key")

    assert result.exit_code == 0, result.output
    assert "2 access tokens" in result.stdout
    assert "workspaces that workspaces.toml does not name: other." in result.stdout
    file.write_text("[default]\n[other]\n")
    assert token_of(project) == TOKEN
    store = project.pipeline.destinations
    assert store.access_token(store.get("beside")).reveal() == TOKEN


def test_what_runs_on_goes_on_under_the_new_key(run, project: Project) -> None:
    shop = project.add_destination()
    assert run("rotate-key").exit_code == 0

    assert project.pipeline.destinations.access_token(shop).reveal() == TOKEN
    project.pipeline.destinations.rotate_token("shop", AccessToken("another-token"))

    assert token_of(project) == "another-token"


def test_another_key_file_is_a_clear_error_and_changes_nothing(run, project: Project) -> None:
    project.add_destination()
    file = project.settings.secret_key_file
    right = file.read_text()
    file.write_text(Fernet.generate_key().decode())
    for command in (["destination", "test", "shop"], ["rotate-key"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "encrypted with another key" in result.stderr
        assert "Traceback" not in result.output
    file.write_text(right)
    assert token_of(project) == TOKEN


def test_keys_of_the_environment_are_rotated_in_three_steps(
    run, project: Project, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("SNAP_PIPELINE_STATE_URL", database_url)
    database = SecretStr(database_url)
    project.reopen(database_url=database, secret_key=SecretStr(old))
    project.add_destination()

    monkeypatch.setenv("SNAP_PIPELINE_SECRET_KEY", old)
    alone = run("rotate-key")
    assert alone.exit_code == 1
    assert "holds one key" in alone.stderr

    monkeypatch.setenv("SNAP_PIPELINE_SECRET_KEY", f"{new},{old}")
    assert token_of(project, secret_key=SecretStr(f"{new},{old}")) == TOKEN
    result = run("rotate-key")
    assert result.exit_code == 0, result.output
    assert "1 access token " in result.stdout
    assert not {key for key in (old, new) if key in result.output}

    assert token_of(project, secret_key=SecretStr(new)) == TOKEN
    with pytest.raises(SecretKeyError, match="encrypted with another key"):
        token_of(project, secret_key=SecretStr(old))


def test_postgres_without_a_key_is_told_to_make_one(run, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAP_PIPELINE_STATE_URL", postgres_url)
    result = run("rotate-key")
    assert result.exit_code == 1
    assert "SNAP_PIPELINE_SECRET_KEY is not set" in result.stderr
