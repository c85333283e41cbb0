"""Invalid mapping tables of the home: the error names the file and the problem."""

import logging
from typing import Any

import pytest

from snap_pipeline_tests.project import HOUR, Project, key, purchase

RANGE = ("--from", key(HOUR), "--to", key(HOUR))
COMMANDS = (("status",), ("materialize", *RANGE), ("destination", "list"))


def write(project: Project, name: str, content: bytes) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / name).write_bytes(content)


def warned(result: Any) -> list[str]:
    return [line for line in result.stderr.splitlines() if "Was Snap's" in line]


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (b"source_name,snap_name\nkauf,PURCHASE\n", "workspace"),
        (b"source_name;snap_name;workspace\nkauf;PURCHASE;\n", "source_name, snap_name, workspace"),
        (b"", "source_name, snap_name, workspace"),
        (b"kauf,PURCHASE,\n", "source_name, snap_name, workspace"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_header_without_the_columns_is_named_by_every_command(
    run: Any, project: Project, command: tuple[str, ...], content: bytes, missing: str
) -> None:
    write(project, "event_names.csv", content)
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {project.settings.mappings / 'event_names.csv'} has no column {missing}. "
        "Its first line must be source_name,snap_name,workspace, with commas.\n"
    )


def test_a_header_may_come_from_a_spreadsheet(run: Any, project: Project) -> None:
    write(project, "event_names.csv", b'\xef\xbb\xbf"Source_Name", snap_name,workspace,note\r\nkauf,PURCHASE,,ours\r\n')
    project.land(purchase("e", event_name="Kauf"))
    assert run("materialize", *RANGE).exit_code == 0
    assert [row["snap_event_name"] for row in project.rows("filtered_events")] == ["PURCHASE"]


def test_what_reads_like_a_pattern_is_a_currency_of_that_name(run: Any, project: Project) -> None:
    write(project, "currencies.csv", b"currency,accepted_by_snap\nUSD|.*,true\nA(B,false\n")
    given = {"a": "EUR", "b": "no currency", "c": "usd", "d": "A(B"}
    project.land(*(purchase(id, properties={"value": 1, "currency": currency}) for id, currency in given.items()))
    assert run("materialize", *RANGE).exit_code == 0
    currencies = {row["event_id"]: row["currency"] for row in project.rows("conversion_payloads")}
    assert {name: currencies[name] for name in "abc"} == {"a": "EUR", "b": None, "c": "USD"}


def test_the_home_adds_signs_of_currencies_and_words_for_the_state_of_an_order(run: Any, project: Project) -> None:
    write(project, "currency_symbols.csv", b"symbol,currency\nTaler,EUR\n$,USD\n")
    (project.settings.mappings / "order_statuses.csv").write_bytes(b"status,is_completed\npending,true\nOpen,false\n")
    project.land(
        *(purchase(sign, properties={"value": "1.299", "currency": sign}) for sign in ("taler", "$", "kr")),
        *(purchase(word, properties={"value": 1, "currency": "EUR", "status": word}) for word in ("pending", "open")),
    )
    assert run("materialize", *RANGE).exit_code == 0
    rows = {row["event_id"]: (row["value"], row["currency"]) for row in project.rows("conversion_payloads")}
    assert rows == {"taler": (1299.0, "EUR"), "$": (1299.0, "USD"), "kr": (1.299, None), "pending": (1.0, "EUR")}
    assert [row["reason"] for row in project.rows("excluded_events")] == ["order_not_completed"]


def test_the_home_may_say_how_many_decimals_a_currency_has(run: Any, project: Project) -> None:
    write(project, "currency_decimals.csv", b"currency,decimals\nEUR,3\n")
    project.land(purchase("e", properties={"value": "1.299", "currency": "EUR"}))
    assert run("materialize", *RANGE).exit_code == 0
    assert [row["value"] for row in project.rows("conversion_payloads")] == [1.299]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("event_names.csv", b"source_name,snap_name,workspace\nkauf\n", "source_name,snap_name,workspace"),
        ("event_names.csv", b"source_name,snap_name,workspace\nk\xe4ufe,PURCHASE,\n", "in UTF-8"),
        ("consent_purposes.csv", b"purpose,meaning\nOur own word,advertizing\n", "'advertizing'"),
        ("currencies.csv", b"currency,accepted_by_snap\nEUR,maybe\n", "must be true or false"),
        ("currency_decimals.csv", b"currency,decimals\nEUR,few\n", "a number from 0 to 4"),
        ("currency_symbols.csv", b"symbol,currency\nTaler,THL\n", "a code of a currency"),
        ("order_statuses.csv", b"status,is_completed\nopen,perhaps\n", "true or false"),
        ("time_zones.csv", b"time_zone,utc_offset_minutes,abbreviation\nEurope/Berlin,+1h,CET\n", "number of minutes"),
        ("action_sources.csv", b"word,conversion_type,field\nkiosk,SHOP,\n", "kiosk has the conversion type 'SHOP'"),
        ("action_sources.csv", b"word,conversion_type,field\nkiosk,WEB,channel\n", "or an empty field"),
    ],
)
def test_materialize_says_which_file_holds_what_is_no_value(
    run: Any, project: Project, name: str, content: bytes, words: str
) -> None:
    write(project, name, content)
    project.land(purchase("e"))
    result = run("materialize", *RANGE)
    assert result.exit_code == 1
    assert f"{project.settings.mappings / name} cannot be " in result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        (
            "event_names.csv",
            b'source_name,snap_name,workspace\nKauf,PURCHASE,\n\n"two\nlines",SAVE,\nkauf_,SIGN_UP,\n',
            "lines 2 and 6 contradict each other about Kauf",
        ),
        (
            "event_names.csv",
            b"source_name,snap_name,workspace\nkauf,PURCHASE,default\nKauf,,default\n",
            "lines 2 and 3 contradict each other about kauf",
        ),
        ("consent_purposes.csv", b"purpose,meaning\nads,limited\nAds,advertising\n", "lines 2 and 3"),
        ("currencies.csv", b"currency,accepted_by_snap\nEUR,true\nUSD,true\nEUR,false\n", "lines 2 and 4"),
        ("action_sources.csv", b"word,conversion_type,field\nkiosk,OFFLINE,\nKiosk,WEB,\n", "lines 2 and 3"),
    ],
)
def test_rows_that_contradict_each_other_are_named(
    run: Any, project: Project, name: str, content: bytes, lines: str
) -> None:
    write(project, name, content)
    project.land(purchase("e"))
    result = run("materialize", *RANGE)
    assert result.exit_code == 1
    assert f"{project.settings.mappings / name} cannot be used: {lines}" in result.stderr


def test_a_row_that_repeats_another_or_holds_for_a_workspace_contradicts_nothing(run: Any, project: Project) -> None:
    rows = b"source_name,snap_name,workspace\nkauf,PURCHASE,\nKauf, purchase,\nkauf,SIGN_UP,default\n"
    write(project, "event_names.csv", rows)
    project.land(purchase("e", event_name="Kauf"))
    assert run("materialize", *RANGE).exit_code == 0
    assert [row["snap_event_name"] for row in project.rows("filtered_events")] == ["SIGN_UP"]


def test_a_target_close_to_a_standard_name_is_warned_of(run: Any, project: Project) -> None:
    rows = b"kauf,PURCHASEE,\nmerken,add to wishlists,\nfest,PURCHASE,\nspende,DONATION,\nlesen,,\n"
    write(project, "event_names.csv", b"source_name,snap_name,workspace\n" + rows)
    result = run("materialize", *RANGE)
    assert result.exit_code == 0
    warnings = warned(result)
    file = project.settings.mappings / "event_names.csv"
    assert warnings == [
        f"Warning: {file}, line 2: kauf is mapped to PURCHASEE, which is sent as a custom event. "
        "Was Snap's PURCHASE meant?",
        f"Warning: {file}, line 3: merken is mapped to ADD_TO_WISHLISTS, which is sent as a custom event. "
        "Was Snap's ADD_TO_WISHLIST meant?",
    ]
    status = run("status")
    assert status.exit_code == 0
    assert warned(status) == warnings
    assert run("status", "--json").stderr == ""


def test_the_run_that_applies_a_misspelled_target_warns_in_its_log(project: Project) -> None:
    write(project, "event_names.csv", b"source_name,snap_name,workspace\nkauf,PURCHASEE,\n")
    project.land(purchase("e"))
    result = project.materialize()
    logged = [
        entry for entry in project.instance.all_logs(result.run_id) if "Was Snap's PURCHASE" in entry.user_message
    ]
    assert [(entry.level, entry.step_key) for entry in logged] == [(logging.WARNING, "filtered_events")]
