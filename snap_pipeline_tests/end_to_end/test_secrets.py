"""The access token and personal data: where they must never be seen."""

import logging
from pathlib import Path

import pytest
from dagster._core.events.log import EventLogEntry

from snap_pipeline.destinations.tokens import AccessToken
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
    """Logs, Dagster's events with their metadata and errors, what the destination says, and every file."""
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
