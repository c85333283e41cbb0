"""The compose file: the secrets of each service, their sources, and the ports that are open to the outside."""

import re
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
SECRET = re.compile("PASSWORD|SECRET|STATE_URL|WEBHOOK")
OPTIONAL = {
    "SNAP_PIPELINE_ALERT_WEBHOOK",
    "SNAP_PIPELINE_RUNNING_HOUR_MINUTES",
    "SNAP_PIPELINE_SNAP_SCORES",
    "SNAP_PIPELINE_WEB_URL",
}


def test_only_the_web_server_is_published_and_on_this_host_alone() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "webserver": ["127.0.0.1:3000:3000"]
    }


def test_secrets_come_from_the_environment_and_a_missing_one_is_named() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if SECRET.search(name):
                assert "${" in value, name
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    explained = set(re.findall(r"^(\w+)=$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert asked == explained
    assert asked - required == OPTIONAL == set(re.findall(r"\$\{(\w+):-\}", TEXT))


def test_the_pipelines_secrets_reach_the_code_alone() -> None:
    holders = {name for name, service in SERVICES.items() if "SNAP_PIPELINE_SECRET_KEY" in service["environment"]}
    assert holders == {"code", "prepare"}
    alerting = {name for name, service in SERVICES.items() if "SNAP_PIPELINE_ALERT_WEBHOOK" in service["environment"]}
    assert alerting == {"code"}
    assert "snap_pipeline_owner:" in SERVICES["prepare"]["environment"]["SNAP_PIPELINE_STATE_URL"]
    assert "//snap_pipeline:" in SERVICES["code"]["environment"]["SNAP_PIPELINE_STATE_URL"]


def test_dagsters_configuration_holds_no_secret() -> None:
    database = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())["storage"]["postgres"]["postgres_db"]
    assert {key: value for key, value in database.items() if not isinstance(value, dict)} == {
        "scheme": "postgresql+psycopg2"
    }
