"""Conversions with their Snap event names and conversion types, and excluded events with their reasons."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from snap_pipeline.errors import SettingsError
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake import lake, storage
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline_tests.project import HOUR, Project, purchase

MINUTES_10 = "2026-11-20T13:10:00Z"


def judge(project: Project) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Make the hour's filtered events; return the kept rows, and the exclusion reasons by event id."""
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    project.pipeline.transformations.make_filtered_events(HOUR)
    excluded = project.rows("excluded_events")
    return project.rows("filtered_events"), {row["event_id"]: row["reason"] for row in excluded}


def kept_one(project: Project, event: dict[str, Any]) -> dict[str, Any]:
    project.land(event)
    kept, excluded = judge(project)
    assert not excluded
    return kept[0]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "identify", "event": "Order Completed"}, "internal"),
        ({"type": "group"}, "internal"),
        ({"type": "alias"}, "internal"),
        ({"event_name": "session_start"}, "internal"),
        ({"event_name": "Page Hidden"}, "internal"),
        ({"event_name": "consent_update"}, "internal"),
        ({"event_name": " "}, "no_event_name"),
        ({"event_timestamp": None}, "no_timestamp"),
        ({"event_timestamp": "yesterday"}, "unreadable_timestamp"),
        ({"event_timestamp": "2026-11-20T13:10:01Z"}, "future_timestamp"),
        ({"event_name": "Order Refunded"}, "mapped_to_nothing"),
        ({"consent": {"advertising": False}}, "consent_denied"),
        ({"consent": '{"ad_storage":"denied"}'}, "consent_denied"),
        ({"context": {"consent": {"categoryPreferences": {"Advertising": False}}}}, "consent_denied"),
    ],
)
def test_an_event_that_is_no_conversion_has_one_reason(project: Project, event: dict[str, Any], reason: str) -> None:
    project.land(purchase("e") | event)
    kept, excluded = judge(project)
    assert (kept, excluded) == ([], {"e": reason})


def test_up_to_ten_minutes_after_the_hour_an_event_is_taken(project: Project) -> None:
    assert kept_one(project, purchase("e") | {"event_timestamp": MINUTES_10})


def test_the_first_event_of_an_id_by_file_and_line_is_kept(project: Project) -> None:
    project.land(purchase("same", order_id="third"), name="b")
    project.land(purchase("same", order_id="first"), purchase("same", order_id="second"), name="a")
    kept, excluded = judge(project)
    assert [row["order_id"] for row in kept] == ["first"]
    assert excluded == {"same": "duplicate_id"}
    assert len(project.rows("excluded_events")) == 2


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"event_name": "order-completed"}, "PURCHASE"),
        ({"event_name": "Order Completed"}, "PURCHASE"),
        ({"event_name": "product_list_viewed"}, "LIST_VIEW"),
        ({"event_name": "add_to_cart"}, "ADD_CART"),
        ({"event_name": "checkout_completed"}, "PURCHASE"),
        ({"event_name": "Size Guide Opened"}, "SIZE_GUIDE_OPENED"),
        ({"type": "page", "name": "Order Completed"}, "PAGE_VIEW"),
        ({"type": "screen", "name": "identify"}, "PAGE_VIEW"),
    ],
)
def test_names_are_mapped_with_case_and_separators_folded(project: Project, event: dict[str, Any], name: str) -> None:
    assert kept_one(project, purchase("e") | event)["snap_event_name"] == name


@pytest.mark.parametrize(
    ("event", "conversion_type"),
    [
        ({}, "WEB"),
        ({"origin": "web"}, "WEB"),
        ({"origin": "mobile_app"}, "MOBILE_APP"),
        ({"origin": "csv"}, "OFFLINE"),
        ({"origin": "cod_webhook"}, "OFFLINE"),
        ({"channel": "mobile"}, "MOBILE_APP"),
        ({"channel": "mobile", "origin": "csv"}, "MOBILE_APP"),
        ({"type": "screen", "origin": "csv"}, "MOBILE_APP"),
        ({"channel": "web", "origin": "mobile_app"}, "WEB"),
        ({"context": {"app": {"name": "Shop"}}}, "MOBILE_APP"),
        ({"context": {"device": {"model": "x"}, "page": {"url": "https://shop.example.com/"}}}, "WEB"),
        ({"context": {"app": {"name": "Shop"}}, "origin": "csv"}, "MOBILE_APP"),
        ({"context": {"app": {"name": "Shop"}}, "origin": "pos"}, "OFFLINE"),
        ({"action_source": "physical_store", "type": "screen", "channel": "mobile"}, "OFFLINE"),
        ({"channel": "server", "origin": "mobile_app"}, "MOBILE_APP"),
        ({"channel": "kiosk", "origin": "csv"}, "OFFLINE"),
    ],
)
def test_the_conversion_type_is_what_the_event_says_then_how_it_came(
    project: Project, event: dict[str, Any], conversion_type: str
) -> None:
    assert kept_one(project, purchase("e") | event)["conversion_type"] == conversion_type


def test_unknown_words_for_where_it_happened_are_counted_without_personal_data(project: Project) -> None:
    project.land(
        purchase("a", action_source="Drone Delivery"),
        purchase("b", action_source="drone delivery", channel="kiosk"),
        purchase("c", origin="ann@example.com"),
        purchase("d", origin="+44 7700 900123"),
        purchase("e", channel="server", properties={"channel": "organic"}),
        purchase("denied", channel="kiosk", consent={"marketing": False}),
    )
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    made = project.pipeline.transformations.make_filtered_events(HOUR)
    assert made.unknown_words == {"action_source/drone delivery": 2, "channel/kiosk": 1, "origin/other": 2}
    assert {row["conversion_type"] for row in project.rows("filtered_events")} == {"WEB"}


def test_unknown_words_are_in_the_metadata_of_the_partition(project: Project) -> None:
    project.land(purchase("a", channel="kiosk"))
    events = project.materialize().asset_materializations_for_node("filtered_events")
    assert {"unknown_word/channel/kiosk"} <= {name for event in events for name in event.metadata}


def test_a_home_adds_and_overrides_words_for_where_it_happened(project: Project) -> None:
    mappings = project.settings.mappings
    mappings.mkdir(parents=True)
    (mappings / "action_sources.csv").write_text(
        "word,conversion_type,field\nSelf-Service Kiosk,offline,\nserver,OFFLINE,\nemail,WEB,\nstore,,\n"
    )
    project.reopen()
    words = {"a": "selfServiceKiosk", "b": "server", "c": "email", "d": "store"}
    project.land(*(purchase(id, channel=word) for id, word in words.items()))
    kept, _ = judge(project)
    types = {row["event_id"]: row["conversion_type"] for row in kept}
    assert types == {"a": "OFFLINE", "b": "OFFLINE", "c": "WEB", "d": "WEB"}


def test_a_home_overrides_a_mapping_and_one_for_the_workspace_wins(project: Project) -> None:
    mappings = project.settings.mappings
    mappings.mkdir(parents=True)
    (mappings / "event_names.csv").write_text(
        "source_name,snap_name,workspace\npurchase,SUBSCRIBE,\npurchase,START_TRIAL,default\nOrder Completed,,\n"
    )
    project.reopen()
    project.land(purchase("a"), purchase("b", event_name="Order Completed"))
    kept, excluded = judge(project)
    assert [row["snap_event_name"] for row in kept] == ["START_TRIAL"]
    assert excluded == {"b": "mapped_to_nothing"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("purchase", "PURCHASE"),
        ("Add Cart", "ADD_CART"),
        ("page-view", "PAGE_VIEW"),
        (" StartCheckout ", "START_CHECKOUT"),
        ("custom_event_1", "CUSTOM_EVENT_1"),
        ("My own name", "My own name"),
        ("PURCHASES", "PURCHASES"),
    ],
)
def test_a_mapped_name_that_is_a_standard_one_in_another_spelling_is_that_one(
    project: Project, given: str, name: str
) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "event_names.csv").write_text(f"source_name,snap_name,workspace\nkauf,{given},\n")
    assert kept_one(project, purchase("e", event_name="Kauf"))["snap_event_name"] == name


def test_a_mapping_that_is_added_while_a_process_runs_counts_from_the_next_hour_on(project: Project) -> None:
    project.land(purchase("e", event_name="My Thing"))
    assert [row["snap_event_name"] for row in judge(project)[0]] == ["MY_THING"]
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "event_names.csv").write_text("source_name,snap_name,workspace\nMy Thing,SUBSCRIBE,\n")
    assert [row["snap_event_name"] for row in judge(project)[0]] == ["SUBSCRIBE"]
    lake = project.pipeline.lake
    with lake.connect() as connection:
        notes = lake.storage.notes(connection, partition(Table.FILTERED_EVENTS, HOUR))
    project.reopen()
    assert notes["recipes"] == {
        "default": project.pipeline.mappings.recipes.current("filtered_events", "default").digest
    }


def test_a_currency_that_is_neither_accepted_nor_not_is_named(project: Project) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "currencies.csv").write_text("currency,accepted_by_snap\nEUR,maybe\n")
    project.land(purchase("e"))
    with pytest.raises(SettingsError, match="accepted_by_snap must be true or false"):
        judge(project)


@pytest.mark.parametrize("meaning", ["advertizing", "", "advertising limited"])
def test_an_unknown_meaning_of_a_consent_purpose_is_named(project: Project, meaning: str) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "consent_purposes.csv").write_text(f"purpose,meaning\nOur own word,{meaning}\n")
    project.land(purchase("e", consent={"our own word": False}))
    with pytest.raises(SettingsError) as raised:
        judge(project)
    assert all(text in str(raised.value) for text in ("consent_purposes.csv", repr(meaning), "opt_out_of_sale"))


@pytest.mark.parametrize("meaning", ["advertising", "Advertising", " advertising", "ADVERTISING\t"])
def test_a_meaning_of_a_consent_purpose_may_be_in_any_case_with_blanks_around(project: Project, meaning: str) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "consent_purposes.csv").write_text(f"purpose,meaning\nOur own word,{meaning}\n")
    project.land(purchase("e", consent={"our own word": False}))
    assert judge(project)[1] == {"e": "consent_denied"}


def test_a_workspace_decides_on_unmapped_names_and_unknown_consent(project: Project) -> None:
    (project.settings.home / "workspaces.toml").write_text(
        '[default]\nunmapped_events = "exclude"\nunknown_consent = "exclude"\n'
    )
    project.reopen()
    granted = {"consent": {"marketing": "granted"}}
    project.land(
        purchase("unmapped", event_name="Size Guide Opened") | granted,
        purchase("unknown"),
        purchase("sent") | granted,
    )
    kept, excluded = judge(project)
    assert [row["event_id"] for row in kept] == ["sent"]
    assert excluded == {"unmapped": "unmapped", "unknown": "consent_unknown"}


@pytest.mark.parametrize(
    "consent",
    [
        {"advertising": True, "ad_personalization": "denied"},
        {"advertising": True, "us_privacy": "1YYN"},
        {"gpc": True},
        {"limited": True},
    ],
)
def test_limited_use_is_kept_and_marked(project: Project, consent: dict[str, Any]) -> None:
    assert kept_one(project, purchase("e") | {"consent": consent})["limited_use"]


@pytest.mark.parametrize(
    ("consent", "unread"),
    [
        ({"marketing": "perhaps"}, 1),
        ({"our own words": "yes"}, 1),
        ("ask again", 1),
        ({"tc_string": "BO1234"}, 1),
        ({"marketing": True, "gpp": "DBABD~BAAAAAAAAAA"}, 1),
        ({"marketing": True, "gcd": "11t1t1t1z5"}, 1),
        ({"marketing": True, "consentId": "a-1"}, 0),
        ({"analytics": False}, 0),
        ({"gcs": "G1--"}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_consent_that_cannot_be_read_is_counted(project: Project, consent: Any, unread: int) -> None:
    project.land(purchase("e") | {"consent": consent})
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    made = project.pipeline.transformations.make_filtered_events(HOUR)
    assert (made.kept, made.unread_consents) == (1, unread)


def test_consent_that_an_earlier_version_read_still_counts_when_its_file_is_gone(project: Project) -> None:
    """Earlier versions kept the purposes and answers of an object."""
    file = project.land(purchase("e"))
    pipeline, key = project.pipeline, partition(Table.RAW_EVENTS, HOUR)
    make_raw_events(pipeline.lake, pipeline.landing, HOUR)
    with pipeline.lake.connect() as connection:
        scan, notes = pipeline.lake.storage.scan([key]), pipeline.lake.storage.notes(connection, key)
        older = f"""select * replace ('{{"analytics": true, "_Advertising": "no"}}'::json as consent) from {scan}"""
        pipeline.lake.storage.commit(connection, key, older, metadata=notes)
    file.unlink()
    assert judge(project) == ([], {"e": "consent_denied"})


@pytest.mark.parametrize("consent", [{"us_privacy": "1YNN"}, {"gpc": False}, {"advertising": "granted"}, {"x": 1}])
def test_what_limits_nothing_is_not_marked(project: Project, consent: dict[str, Any]) -> None:
    assert not kept_one(project, purchase("e") | {"consent": consent})["limited_use"]


def test_another_hour_is_not_touched(project: Project) -> None:
    project.land(purchase("e"), hour=HOUR + ONE_HOUR)
    assert judge(project) == ([], {})


def test_an_app_whose_namespace_is_an_e_mail_address_has_none(project: Project) -> None:
    """Addresses are removed from free texts; nothing is left of this one, and empty values are not sent."""
    project.land(
        {"type": "screen", "messageId": "s", "timestamp": HOUR.isoformat(), "context": {"app": {"namespace": "a@b.de"}}}
    )
    judge(project)
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    assert project.rows("conversion_payloads")[0]["app_id"] is None


@pytest.mark.parametrize("joins", ["that keep order", "that do not, as those of more than fits into memory"])
def test_rows_stay_in_the_order_in_which_they_landed_each_time_an_hour_is_made(
    project: Project, monkeypatch: pytest.MonkeyPatch, joins: str
) -> None:
    """The hour has more row groups than there are threads, and people with profiles."""
    monkeypatch.setattr(storage, "ROW_GROUP_ROWS", 2_048)
    if joins != "that keep order":
        monkeypatch.setattr(lake.Lake, "keeping_order", lambda *_: nullcontext())
    count = 10 * 2_048
    project.land(
        *(
            purchase(
                f"e{n}", at=HOUR + timedelta(seconds=n * 7919 % 3600), anonymous_id=f"a{n % 97}", sc_cookie1=f"c{n % 5}"
            )
            for n in range(count)
        )
    )
    kept, excluded = judge(project)
    assert not excluded
    assert [row["event_id"] for row in kept] == [f"e{n}" for n in range(count)]
    assert judge(project) == (kept, excluded)
