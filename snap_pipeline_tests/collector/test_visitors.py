"""Web sources through the real pipeline: visitors choose neither their IP address nor that an event is OFFLINE."""

import csv
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from snap_pipeline.lake.match_fields import MATCH_FIELDS
from snap_pipeline.project_files import SEEDS
from snap_pipeline_tests.collector.conftest import RunningCollector
from snap_pipeline_tests.project import HOUR, Project

CHOSEN = "203.0.113.9"
Event = dict[str, Any]


def spellings(name: str) -> set[str]:
    """Return a name as people write it: ip_address, ipAddress, IP_ADDRESS, Ip-Address, ipaddress."""
    first, *rest = name.split("_")
    camel = first + "".join(map(str.capitalize, rest))
    return {name, name.upper(), camel, name.replace("_", ""), name.title().replace("_", "-"), f"İ{name[1:]}"}


def placed(name: str, value: Any) -> list[Event]:
    """Return events with a key in every place where the pipeline may look for it."""
    one = {name: value}
    return [
        one,
        {"properties": one},
        {"properties": json.dumps(one)},
        {"context": one},
        {"traits": one},
        {"context": {"traits": one}},
        {"user_data": one},
        {"integrations": {"Snapchat": one}},
    ]


def nestings() -> list[Callable[[Event], Any]]:
    return [
        lambda event: {"batch": [[event]]},
        lambda event: [[event]],
        lambda event: {"batch": [{"events": [event]}]},
        lambda event: {"batch": [{"batch": [event]}]},
        lambda event: {"batch": [], "events": [event]},
        lambda event: [{"type": None, "events": [[{"batch": [event]}]]}],
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A home in which everything that a visitor may try has landed, and its hour is materialized."""
    project = Project(tmp_path_factory.mktemp("home"), "http://127.0.0.1:9")
    collector = RunningCollector(project, environment={"SNAP_PIPELINE_NOW": HOUR.isoformat()})
    key = collector.add_source("web")
    (field,) = [field for field in MATCH_FIELDS if field.column == "ip_address"]
    names = {spelling for name in (*field.keys, *field.spellings, "request_ip", "ip") for spelling in spellings(name)}
    tries = [event for name in sorted(names) for event in placed(name, CHOSEN)]
    with (SEEDS / "action_sources.csv").open(encoding="utf-8") as file:
        offline = [row["word"] for row in csv.DictReader(file) if row["conversion_type"] == "OFFLINE"]
    for name, word in itertools.product(("action_source", "event_conversion_type", "channel", "origin"), offline):
        tries += [event for spelling in sorted(spellings(name)) for event in placed(spelling, word)]
    whole = {"origin": "csv", "ip_address": CHOSEN, "_forgotten": "true"}
    batches = [{"batch": tries[start : start + 1_000]} for start in range(0, len(tries), 1_000)]
    for body in (*batches, *(nest(whole | {"userId": f"ann-{number}"}) for number, nest in enumerate(nestings()))):
        answer = collector.post(key, _named(body), headers={"User-Agent": "Mozilla/5.0 (X11)"})
        assert answer.status_code == 200, answer.text
    kept = [{"event": "Kept", "channel": "web"}, {"event": "Kept", "properties": {"action_source": "Mobile-App"}}]
    assert collector.post(key, _named(kept)).status_code == 200
    collector.stop()
    assert project.materialize().success
    return project


def _named(body: Any) -> Any:
    """Give the events of a body a name and a time, as the pipeline needs them."""
    if isinstance(body, list):
        return [_named(each) for each in body]
    if any(isinstance(body.get(key), list) for key in ("batch", "events")):
        return body | {key: _named(body[key]) for key in ("batch", "events") if key in body}
    return {"event": "Product Viewed"} | body | {"timestamp": HOUR.isoformat()}


def test_the_ip_address_is_that_of_the_connection(project: Project) -> None:
    assert project.rows("raw_events", "select distinct ip_address from {table}") == [{"ip_address": "127.0.0.1"}]


def test_no_event_is_offline_or_forgotten_or_unread(project: Project) -> None:
    types = project.rows("filtered_events", "select conversion_type, count(*) as events from {table} group by all")
    assert {row["conversion_type"] for row in types} == {"WEB", "MOBILE_APP"}
    assert sum(row["events"] for row in types if row["conversion_type"] == "MOBILE_APP") == 1
    assert project.rows("raw_events", "select count(*) as events from {table} where is_forgotten") == [{"events": 0}]
    counts = project.counts()
    assert counts == {"raw": counts["raw"], "payloads": counts["raw"]}
