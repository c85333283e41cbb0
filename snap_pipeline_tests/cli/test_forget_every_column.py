"""`forget` leaves nothing of a person, in whichever key of an event it landed and whichever column it was kept in."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.retention import prune
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.transform import Transformations
from snap_pipeline_tests.project import HOUR, Project

Run = Callable[..., Result]

KEPT = ("type", "event", "name", "messageId", "timestamp", "originalTimestamp", "sentAt", "event_id", "event_name",
        "event_timestamp", "_forgotten")  # fmt: skip
"""Keys that say which event it was: its id, name and time stay."""


def keys_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key of a landed event that holds a value."""
    for key, kind in schema.items():
        if isinstance(kind, Mapping):
            yield from ((key, *rest) for rest in keys_of(kind))
        else:
            yield (key,)


def every_key() -> list[tuple[str, ...]]:
    row = duckdb.execute(sql("landed_event")).fetchone()
    assert row
    return [path for path in keys_of(row[0]) if path[0] not in KEPT]


def value_of(path: tuple[str, ...], who: str, number: int) -> Any:
    """Return a value of the person for a key, different from any other, in the form that the key wants."""
    mark = f"{who}mark{number}"
    letters = mark.translate(str.maketrans("0123456789", "qwertzuiop"))
    digits = f"{number:03}{'1' if who == 'ann' else '2'}"
    device = f"{digits}aaaa-0000-4000-8000-{who.encode().hex():0>12}"
    values: dict[str, Any] = {
        "email": f"{mark}@example.com",
        "phone": f"+4477009{digits}0",
        "userId": f"{who}-user",
        "user_id": f"{who}-user",
        "firstName": letters,
        "first_name": letters,
        "lastName": letters,
        "last_name": letters,
        "city": letters,
        "gender": "f",
        "country": "DE",
        "ip": f"2001:db8::{digits}",
        "ip_address": f"2001:db8::{digits}",
        "request_ip": f"2001:db8::{digits}",
        "url": f"https://shop.example.com/{mark}?ScCid={mark}",
        "page_url": f"https://shop.example.com/{mark}?ScCid={mark}",
        "advertisingId": device,
        "advertising_id": device,
        "idfv": device,
        "click_ids": {"ScCid": mark},
        "consent": {"ads": True, mark: True},
        "value": f"{number}.{digits}",
        "currency": "EUR",
        "item_ids": [mark],
        "properties": properties(mark),
    }
    return device if path[-2:] == ("device", "id") else values.get(path[-1], mark)


def properties(mark: str) -> dict[str, Any]:
    texts = ("order_id", "search_string", "sign_up_method", "status", "customer_status", "event_tag", "content_name",
             "content_category", "sc_cookie1", "ScCid", "brand", "product_id", "unknown")  # fmt: skip
    return {name: f"{mark}{name}" for name in texts} | {
        "email": f"{mark}p@example.com",
        "products": [{"product_id": f"{mark}item", "brand": f"{mark}brand", "price": 1}],
        "nested": {"deep": [f"{mark}deep"]},
    }


def events_of(who: str) -> list[dict[str, Any]]:
    """Return an event for each key, events with everything and with unknown keys, and one of the device alone."""
    base: dict[str, Any] = {"event_name": "view_item", "event_timestamp": HOUR.isoformat(), "type": "track"}
    browser = {"ip_address": "192.0.2.9", "user_agent": "Mozilla/5.0 (X11)"}
    events = []
    everything: dict[str, Any] = {"user_id": f"{who}-user"}
    for number, path in enumerate(every_key()):
        value = value_of(path, who, number)
        nested = {"user_id": f"{who}-user"} | browser
        for each in (nested, everything):
            place = each
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = value
        events.append(nested)
    identify = {"type": "identify", "user_id": f"{who}-user", "anonymous_id": f"{who}-device"}
    alone = {"anonymous_id": f"{who}-device", "properties": properties(f"{who}mark900"), "os": {"name": "iOS"},
             "ip_address": "2001:db8::a11" if who == "ann" else "2001:db8::b0b",
             "page_url": f"https://shop.example.com/{who}mark901"}  # fmt: skip
    unknown = {"user_id": f"{who}-user", f"{who}mark902": 1, "traits": {"nickname": f"{who}mark903"},
               "context": {"library": {"name": f"{who}mark904"}, "traits": {"nickname": f"{who}mark905"}}}  # fmt: skip
    events += [everything, everything | {"channel": "mobile"}, alone, identify, unknown]
    return [base | event | {"event_id": f"{who}-{number}"} for number, event in enumerate(events)]


def scalars(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from (str(key), *scalars(each))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from scalars(each)
    elif value is not None:
        yield str(value)
        yield from re.split(r"[\s,\x1f\"\[\]{}:?&=/]+", str(value))


def columns_of(project: Project) -> Iterator[tuple[str, Path, str]]:
    """Yield table, file and name of every column of the lake."""
    storage = project.pipeline.lake.storage
    with project.pipeline.lake.connect() as connection:
        for table in storage.tables():
            for file in storage.path(table).rglob("*.parquet"):
                for name, *_ in connection.execute(f"describe from '{file}'").fetchall():
                    yield table, file, name


def words_of(project: Project) -> dict[str, set[str]]:
    """Return every value of the lake, and the words in it, with the columns that hold it."""
    found: dict[str, set[str]] = {}
    with project.pipeline.lake.connect() as connection:
        for table, file, name in columns_of(project):
            rows = connection.execute(f"""select "{name}" from '{file}'""").fetchall()
            for word in scalars(rows):
                found.setdefault(word, set()).add(f"{table}.{name}")
    return found


def make(project: Project, *people: str) -> Project:
    project.add_destination()
    project.land(*(event for who in people for event in events_of(who)))
    pipeline = project.pipeline
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    pipeline.transformations.make_filtered_events(HOUR)
    pipeline.transformations.make_conversion_payloads(HOUR)
    pipeline.transformations.make_parameter_completeness(HOUR)
    return project


@pytest.fixture
def secrets(project: Project, tmp_path: Path) -> set[str]:
    """Make an hour of two people; return what is in the lake because of Ann, whose event ids alone may stay."""
    others = words_of(make(Project(tmp_path / "other", project.sandbox_url), "bob"))
    found = words_of(make(project, "bob", "ann")).keys() - others.keys()
    assert len(found) > 300
    ids = {event["event_id"] for event in events_of("ann")}
    return {word for word in found - ids if not re.fullmatch(r"\d{1,3}", word)}  # a count names nobody


def left_of(project: Project, secrets: set[str]) -> dict[str, set[str]]:
    return {word: columns for word, columns in words_of(project).items() if word in secrets or "annmark" in word}


def test_nothing_of_the_person_is_in_any_column_receipt_or_landing_file(
    project: Project, secrets: set[str], run: Run
) -> None:
    project.pipeline.dispatcher().dispatch(project.pipeline.destinations.get("shop"), HOUR)
    assert {table for table, *_ in columns_of(project)} >= {"delivery_receipts", "delivery_requests", "identity_links"}
    assert run("forget", "--user-id", "ann-user", "--landing").exit_code == 0
    assert left_of(project, secrets) == {}
    assert unaccounted(project.entries()) == []
    texts = [file.read_text() for file in project.settings.landing.rglob("*.ndjson")]
    stubs = [stub for text in texts for line in text.splitlines() if "_forgotten" in (stub := json.loads(line))]
    assert len(stubs) == len(events_of("ann"))
    assert {key for stub in stubs for key in stub} <= set(KEPT)
    assert "annmark" not in "".join(texts)
    assert "bobmark" in "".join(texts)


def test_nothing_of_the_person_stays_in_a_pruned_hour(project: Project, secrets: set[str], run: Run) -> None:
    assert prune(project.pipeline.lake, project.pipeline.landing, HOUR + ONE_HOUR).hours == [HOUR]
    assert run("forget", "--user-id", "ann-user").exit_code == 0
    assert left_of(project, secrets) == {}
    assert any("bobmark" in word for word in words_of(project))
    assert unaccounted(project.entries()) == []


def test_raw_events_have_the_same_columns_with_forgotten_people_in_it(project: Project, run: Run) -> None:
    make(project, "bob", "ann")

    def described() -> list[tuple[str, str]]:
        with project.pipeline.lake.connect() as connection:
            return project.pipeline.lake.storage.columns(connection, partition(Table.RAW_EVENTS, HOUR))

    before = described()
    run("forget", "--user-id", "ann-user")
    assert described() == before


def test_an_interrupted_request_for_a_pruned_hour_is_finished_by_the_next(
    project: Project, secrets: set[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune(project.pipeline.lake, project.pipeline.landing, HOUR + ONE_HOUR)

    def stops(self: Transformations, hour: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Transformations, "make_parameter_completeness", stops)
        run("forget", "--user-id", "ann-user")
    assert run("forget", "--user-id", "ann-user").exit_code == 0
    assert left_of(project, secrets) == {}
