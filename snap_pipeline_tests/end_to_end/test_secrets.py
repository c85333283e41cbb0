"""The access token and personal data never appear in logs, metadata, messages or files."""

import logging
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from dagster._core.events.log import EventLogEntry
from pydantic import SecretStr

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.definitions import build_definitions
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database
from snap_pipeline_tests.project import Project, purchase

SECRET = "very-secret-token-of-somebody"
EMAIL, PHONE = "ada.lovelace@example.com", "+44 7700 900123"


FAULTS: list[dict[str, object]] = [
    {"status": 401},
    {"status": 403},
    {"status": 500},
    {"status": 429},
    {"html": True},
    {"invalid_200": True},
    {"drop_before_storing": True},
    {"drop_after_storing": True},
    {"redirect": "http://127.0.0.1:9/"},
]


@pytest.mark.parametrize("version", ["v3", "v2"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "".join(map(str, fault.values())))
def test_the_token_never_appears(
    project: Project, caplog: pytest.LogCaptureFixture, fault: dict[str, object], version: str
) -> None:
    caplog.set_level(logging.DEBUG)
    project.add_destination(token=AccessToken(SECRET), api_version=version)
    project.set_fault(count=1, **fault)
    seen = everything_a_run_leaves(project, caplog)
    assert project.requests_seen("events" if version == "v3" else "conversion")
    assert not [text for text in seen if SECRET in text]


@pytest.mark.parametrize("address", ["https://127.0.0.1:{port}", "http://127.0.0.1:9", "https://no-such-host.invalid"])
def test_the_token_never_appears_without_a_connection(
    project: Project, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    caplog.set_level(logging.DEBUG)
    base_url = address.format(port=project.sandbox_url.rsplit(":", 1)[1])
    project.add_destination(token=AccessToken(SECRET), base_url=base_url)
    seen = everything_a_run_leaves(project, caplog)
    assert not [text for text in seen if SECRET in text]


def everything_a_run_leaves(project: Project, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return logs, Dagster's events with metadata and errors, the destination's messages, and every file."""
    project.land(purchase("e"))
    project.materialize()
    records = project.instance.all_logs(project.instance.get_runs()[0].run_id)
    seen = [caplog.text, *map(everything, records), *map(str, project.pipeline.destinations.list())]
    return seen + [path.read_bytes().decode("latin-1") for path in project.settings.home.rglob("*") if path.is_file()]


def test_the_debug_messages_show_that_a_token_was_there(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    project.add_destination(token=AccessToken(SECRET))
    everything_a_run_leaves(project, caplog)
    assert "access_token=…" in caplog.text


def everything(record: EventLogEntry) -> str:
    return repr(record) + record.user_message


def test_no_plaintext_from_the_payloads_on(project: Project) -> None:
    project.add_destination()
    page = f"https://shop.example.com/thanks?email={EMAIL}&id=7#{EMAIL}"
    project.land(purchase("e", email=EMAIL, phone=PHONE, user_id=EMAIL, page_url=page))
    assert project.materialize().success
    later = (
        "conversion_payloads",
        "delivery_receipts",
        "delivery_requests",
        "dispatched_batches",
        "parameter_completeness",
    )
    files = [path for table in later for path in Path(project.settings.lake / table).rglob("*.parquet")]
    assert files
    with project.pipeline.lake.connect() as connection:
        for file in files:
            text = str(connection.execute(f"select * from read_parquet('{file}')").fetchall())
            assert EMAIL not in text
            assert "7700900123" not in text.replace(" ", "")
    assert project.received()[0]["event"]["event_source_url"] == "https://shop.example.com/thanks?email=&id=7"


PASSWORD = "the-password-of-the-database"


def test_nothing_secret_is_part_of_what_a_core_object_says_of_itself(project: Project) -> None:
    key = Fernet.generate_key().decode()
    url = f"postgresql://shop:{PASSWORD}@127.0.0.1:1/state"
    destination = project.add_destination(token=AccessToken(SECRET))
    pipeline = project.pipeline
    settings = project.settings.model_copy(update={"secret_key": SecretStr(key), "database_url": SecretStr(url)})
    shown = [
        settings,
        settings.model_dump_json(),
        destination,
        pipeline,
        pipeline.destinations,
        pipeline.destinations.access_token(destination),
        pipeline.session(destination),
        vars(pipeline.session(destination)),
        TokenCipher(key),
        Database(url),
        vars(Database(url)),
    ]
    for text in (form(each) for each in shown for form in (repr, str)):
        assert not [secret for secret in (SECRET, key, PASSWORD) if secret in text]


def test_what_the_ui_shows_of_a_run_and_of_the_configuration_holds_nothing_secret(project: Project) -> None:
    project.add_destination(token=AccessToken(SECRET))
    project.set_fault(status=401)
    project.land(purchase("e"))
    project.materialize()
    (record,) = project.instance.get_run_records()
    definitions = build_definitions(project.settings)
    repository = definitions.get_repository_def()
    shown = [
        record.dagster_run.run_config,
        record.dagster_run.tags,
        [job.run_config_schema.config_type for job in repository.get_all_jobs()],
        {name: resource.config_schema for name, resource in repository.get_top_level_resources().items()},
        {node.key: dict(node.metadata) for node in definitions.resolve_asset_graph().asset_nodes},
    ]
    secret_key = project.settings.secret_key_file.read_text()
    for text in map(repr, shown):
        assert not [secret for secret in (SECRET, secret_key) if secret in text]


def test_a_database_that_cannot_be_reached_fails_the_run_without_its_password(project: Project) -> None:
    url = SecretStr(f"postgresql://shop:{PASSWORD}@127.0.0.1:1/state")
    project.reopen(database_url=url, secret_key=SecretStr(Fernet.generate_key().decode()))
    project.land(purchase("e"))
    assert not project.materialize().success
    logged = "".join(map(everything, project.instance.all_logs(project.instance.get_runs()[0].run_id)))
    assert "shop:***@127.0.0.1:1/state cannot be used" in logged
    assert PASSWORD not in logged
