"""Destinations saved, found and changed, on SQLite and Postgres."""

from typing import Any

import pytest
import sqlalchemy as sa

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.destinations.destination_errors import (
    DestinationError,
    DestinationTaken,
    InvalidDestination,
    UnknownDestination,
)
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS
from snap_pipeline_tests.destinations.conftest import PIXEL_ID, TOKEN, WORKSPACES, Add, Clock, fields
from snap_pipeline_tests.processes import run_at_once

OTHER_PIXEL_ID = "99999999-2222-4333-8444-555555555555"
APP_ID = "66666666-7777-4888-9999-000000000000"


def names(store: DestinationStore, **filters: Any) -> list[str]:
    return [destination.name for destination in store.list(**filters)]


def test_a_destination_is_found_as_it_was_added(store: DestinationStore, add: Add, clock: Clock) -> None:
    added = add(snap_app_id=APP_ID.upper(), api_version="v2", requests_per_minute=600, base_url="https://a.example/")

    assert added == store.get("shop") == store.list()[0]
    assert (added.snap_app_id, added.api_version, added.base_url) == (APP_ID, "v2", "https://a.example")
    assert (added.state, added.since, added.requests_per_minute) == ("live", "2026-11-20T12", 600)
    assert (added.token_last_four, added.token_set_at) == ("1234", clock.moment)
    assert store.access_token(added).reveal() == TOKEN


def test_defaults_are_snaps_v3_servers_paused_at_a_thousand_requests_a_minute(store: DestinationStore) -> None:
    added, warnings = store.add(
        name="shop", workspace="shop_a", pixel_id=PIXEL_ID, since="2026-11-20T12", token=AccessToken(TOKEN)
    )

    assert (added.base_url, added.api_version, added.requests_per_minute, added.state) == (
        "https://tr.snapchat.com",
        "v3",
        1_000,
        "paused",
    )
    assert (added.web_age_days, added.offline_age_days) == (7, 37)
    assert warnings == []


def test_the_ids_of_an_app_in_its_stores_are_kept_changed_and_removed(store: DestinationStore, add: Add) -> None:
    added = add(ios_app_id=" id447188370 ", android_app_id="com.example.shop")
    assert (added.ios_app_id, added.android_app_id) == ("447188370", "com.example.shop")

    store.set("shop", ios_app_id=None, android_app_id="com.example.store")

    changed = store.get("shop")
    assert (changed.ios_app_id, changed.android_app_id) == (None, "com.example.store")


def test_destinations_are_listed_by_workspace_and_name(store: DestinationStore, add: Add) -> None:
    add(name="zoo", workspace="shop_b")
    add(name="web")
    add(name="app", pixel_id=OTHER_PIXEL_ID)

    assert names(store) == ["app", "web", "zoo"]
    assert names(store, workspace="shop_b") == ["zoo"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pixel_id": "12345"}, "Pixel ID must be a UUID"),
        ({"pixel_id": f"{PIXEL_ID}\n"}, "Pixel ID must be a UUID"),
        ({"snap_app_id": "com.shop.app"}, "Snap App ID must be a UUID"),
        ({"token": AccessToken("secret-part-one\nsecret-part-two")}, "access token must be one line"),
        ({"token": AccessToken("")}, "access token must be one line"),
        ({"token": AccessToken("x" * 4_097)}, "access token must be one line"),
        ({"token": AccessToken("secret-tökèn")}, "access token must be one line"),
        ({"base_url": "https://user:secret@tr.snapchat.com"}, "without credentials"),
        ({"base_url": "https://@tr.snapchat.com"}, "without credentials"),
        ({"base_url": "https://tr.snapchat.com/?access_token=secret"}, "without credentials"),
        ({"base_url": "https://tr.snapchat.com/#secret"}, "without credentials"),
        ({"base_url": "https://tr.snapchat.com\r\nHost: other"}, "must be an address"),
        ({"base_url": "https://[::1"}, "must be an address"),
        ({"base_url": "https://host:port"}, "must be an address"),
        ({"base_url": "tr.snapchat.com"}, "must be an address"),
        ({"base_url": "http://tr.snapchat.com"}, "must begin with https"),
        ({"base_url": "http://127.0.0.1.example.com"}, "must begin with https"),
        ({"base_url": "ftp://127.0.0.1"}, "must begin with https"),
        ({"name": "n" * 10_000}, "1 to 64"),
        ({"name": ""}, "1 to 64"),
        ({"name": "a/b"}, "1 to 64"),
        ({"name": "shop\n"}, "1 to 64"),
        ({"name": "shop'; drop table destinations; --"}, "1 to 64"),
        ({"workspace": "shop_c"}, "no workspace 'shop_c'; there are: shop_a, shop_b"),
        ({"workspace": "shop_a' or '1'='1"}, "no workspace"),
        ({"requests_per_minute": 0}, "between 1 and 60,000"),
        ({"requests_per_minute": 60_001}, "between 1 and 60,000"),
        ({"ios_app_id": "com.example.shop"}, "number in the App Store"),
        ({"ios_app_id": ""}, "number in the App Store"),
        ({"android_app_id": "447188370"}, "package name"),
        ({"android_app_id": "com.example.shop'; drop table destinations; --"}, "package name"),
        ({"web_age_days": 0}, "web and app events must be 1 to 37"),
        ({"web_age_days": 38}, "web and app events must be 1 to 37"),
        ({"offline_age_days": 38}, "offline events must be 1 to 37"),
        ({"since": "yesterday"}, "2026-11-23T14"),
        ({"api_version": "v4"}, "v3 or v2"),
    ],
)
def test_what_cannot_be_used_is_a_clear_error_and_nothing_is_stored(
    store: DestinationStore, database: Database, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidDestination, match=message) as caught:
        store.add(**fields(**changes))

    assert len(str(caught.value)) < 300
    assert "secret" not in str(caught.value)
    assert store.list(include_removed=True) == []


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8123", "http://localhost:8123/", "http://[::1]:8123"])
def test_http_is_allowed_to_this_machine(add: Add, base_url: str) -> None:
    assert add(base_url=base_url).base_url == base_url.rstrip("/")


def test_a_token_that_does_not_look_long_lived_is_warned_of_without_being_shown(store: DestinationStore) -> None:
    _, warnings = store.add(**fields(token=AccessToken("short-token")))

    assert "does not look like a long-lived one" in warnings[0]
    assert "short-token" not in warnings[0]
    assert store.get("shop").token_last_four == ""


def test_a_name_or_a_workspaces_pixel_in_use_is_refused(store: DestinationStore, add: Add) -> None:
    add()

    with pytest.raises(DestinationTaken, match="already, in workspace shop_a"):
        add(workspace="shop_b")
    with pytest.raises(DestinationTaken, match="sends to this pixel already, as 'shop'"):
        add(name="other")
    assert names(store) == ["shop"]
    assert add(name="other", workspace="shop_b").pixel_id == PIXEL_ID


def add_in_a_process(url: str, keys: str) -> str:
    store = DestinationStore(Database(url), lambda: TokenCipher(keys), WORKSPACES)
    try:
        store.add(**fields())
    except DestinationTaken:
        return "taken"
    return "added"


def test_of_processes_that_add_the_same_destination_at_once_one_succeeds(
    database_url: str, database: Database, keys: str
) -> None:
    assert sorted(run_at_once(add_in_a_process, 3, database_url, keys)) == ["added", "taken", "taken"]


def test_set_changes_what_it_is_given_and_keeps_the_rest(store: DestinationStore, add: Add) -> None:
    before = add(api_version="v2", snap_app_id=APP_ID)

    store.set("shop", api_version="v3", since="2026-11-01T00", snap_app_id=None)

    after = store.get("shop")
    assert (after.id, after.base_url, after.token_set_at) == (before.id, before.base_url, before.token_set_at)
    assert (after.api_version, after.since, after.snap_app_id) == ("v3", "2026-11-01T00", None)


def test_set_changes_nothing_where_one_value_cannot_be_used(store: DestinationStore, add: Add) -> None:
    before = add()

    with pytest.raises(InvalidDestination):
        store.set("shop", api_version="v2", base_url="http://tr.snapchat.com")

    assert store.get("shop") == before


def test_pause_and_resume_are_noted_when_they_change_something(store: DestinationStore, add: Add, clock: Clock) -> None:
    assert add().state_since == clock.moment
    for change, state in ((store.pause, "paused"), (store.resume, "live")):
        clock.advance(minutes=1)
        changed_at = clock.moment
        change("shop")
        clock.advance(minutes=1)
        change("shop")
        assert (store.get("shop").state, store.get("shop").state_since) == (state, changed_at)


def test_removed_destinations_are_history_without_a_token_and_come_back_under_their_id(
    store: DestinationStore, add: Add
) -> None:
    first = add()
    store.remove("shop")

    assert names(store) == []
    assert [(each.id, each.state) for each in store.list(include_removed=True)] == [(first.id, "removed")]
    with pytest.raises(DestinationError, match="Add it again"):
        store.access_token(first)
    with pytest.raises(UnknownDestination):
        store.resume("shop")
    assert add(name="shop again", api_version="v2").id == first.id
    assert add(name="shop", pixel_id=OTHER_PIXEL_ID).id != first.id


def test_a_new_token_replaces_the_old_one(store: DestinationStore, add: Add, clock: Clock) -> None:
    add()
    clock.advance(minutes=1)
    store.rotate_token("shop", AccessToken(f"{TOKEN}-5678"))

    changed = store.get("shop")
    assert (changed.token_last_four, changed.token_set_at) == ("5678", clock.moment)
    assert store.access_token(changed).reveal() == f"{TOKEN}-5678"
    with pytest.raises(InvalidDestination):
        store.rotate_token("shop", AccessToken("two lines\nof text"))
    assert store.access_token(changed).reveal() == f"{TOKEN}-5678"


def test_tokens_are_encrypted_in_the_database(add: Add, database: Database) -> None:
    add()
    with database.transaction("shop_a") as connection:
        row = connection.execute(sa.select(DESTINATIONS)).one()
    assert TOKEN not in repr(row)
    assert TOKEN.encode() not in bytes(row.token_encrypted)
