"""Ids that stand for nobody: which texts are such, that they are taken out of an hour, and counted."""

from collections.abc import Iterator

import duckdb
import pytest

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.project import HOUR, Project, purchase

NOBODY = [
    *("anonymous", "Anonymous", "unknown", "GUEST", "guest_user", "guestUser", "(not set)", "[unknown]", "no customer"),
    *("undefined", "null", "None", "NaN", "n/a", "N/A", "[object Object]", '"null"', " guest ", "user: unknown"),
    *("null-null", "undefined_undefined", "Гость", "匿名", "INVITÉ"),
    *("0", "000", "0.0", "-0", "٠٠٠", "-1", "-1.0", "-99", "-9999", "2147483647", "-2147483648"),
    *("xxxx", "XXX", "aa", "1111", "9999999", "-", "--", "?", "—", "…"),
    *(f"{digit * 8}-{digit * 4}-{digit * 4}-{digit * 4}-{digit * 12}" for digit in "01fx"),
    *("{00000000-0000-0000-0000-000000000000}", "00000000-0000-4000-8000-000000000000", "0" * 32),
    *("{{user.id}}", "user-{{id}}", "${id}", "#{id}", "<%= id %>", "{% id %}", "%%ID%%", "%user_id%", "*|ID|*"),
    *("[USER_ID]", "[[id]]", "{user_id}", "<user_id>", "__USER_ID__", "$user_id", "@user_id", "%7B%7Bid%7D%7D"),
    *("9774d56d682e549c", "02:00:00:00:00:00", "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"),
    # Digests of the empty text, by MD5 and SHA-256.
    *("d41d8cd98f00b204e9800998ecf8427e", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
]
SOMEBODY = [
    *("7", "11", "111", "10", "100", "1001", "4711", "00000001", "-8412", "-8412345678901234567"),
    *("a", "u", "d", "Ann", "Noah", "Nora", "nana", "ida", "@david", "_david", "visitor", "ann@example.com"),
    *("guest_123", "anonymous-4f5c", "unknown1", "user_12", "order-1", "#1001", "o-1", "test-1"),
    *("3F2504E0-4F89-11D3-9A0C-0305E82C3301", "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "+447700900001"),
    *("GA1.2.1033501218.1368477899", "auth0|5f7c8ec7c33c6c004bbafe82", "gid://shopify/Customer/1", "", " "),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    pipeline = Project(tmp_path_factory.mktemp("home"), "").pipeline
    with pipeline.lake.connect_with_macros() as connection:
        pipeline.mappings.load(connection)
        yield connection


def placeholders(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> list[str]:
    query = "select placeholders_among(array_to_string(?::varchar[], id_separator()))"
    return list(connection.execute(query, [ids]).fetchall()[0][0])


@pytest.mark.parametrize("text", NOBODY)
def test_a_placeholder_is_found(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert placeholders(connection, [text]) == [text]


@pytest.mark.parametrize("text", SOMEBODY)
def test_an_id_of_somebody_is_none(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert placeholders(connection, [text]) == []


def test_placeholders_are_found_wherever_they_stand_among_ids(connection: duckdb.DuckDBPyConnection) -> None:
    mixed = [text for pair in zip(NOBODY, SOMEBODY * 2, strict=False) for text in pair]
    assert placeholders(connection, [*NOBODY, *mixed]) == [*NOBODY, *NOBODY]


def test_they_are_taken_out_counted_and_hide_no_other_id(project: Project) -> None:
    project.land(
        purchase("a", user_id="guest", userId="u", anonymous_id="0", previous_id="{{id}}", order_id="unknown"),
        purchase("b", external_id=["undefined", "crm", "-1"], messageId="b"),
        purchase("c", external_id=["undefined", "-1"], properties={"order_id": "n/a", "transaction_id": "t"}),
        purchase("d", user_id="d", order_id="7", external_id="11"),
    )
    made = make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    kinds = {"anonymous_id": 1, "external_id": 2, "order_id": 1, "previous_id": 1, "user_id": 1}
    assert made.placeholder_ids == kinds
    rows = {row["event_id"]: row for row in project.rows("raw_events")}
    names = ("user_id", "anonymous_id", "previous_id", "external_ids", "order_id")
    assert {id_: [row[name] for name in names] for id_, row in rows.items()} == {
        "a": ["u", None, None, None, None],
        "b": [None, None, None, ["crm"], None],
        "c": [None, None, None, None, None],
        "d": ["d", None, None, ["11"], "7"],
    }
    project.pipeline.transformations.make_filtered_events(HOUR)
    dropped = project.pipeline.transformations.make_conversion_payloads(HOUR).dropped
    assert dropped == kinds | {"order_id": 2}
    orders = {row["event_id"]: row["order_id"] for row in project.rows("conversion_payloads")}
    assert orders == {"a": "o-a", "b": "o-b", "c": "t", "d": "7"}


def test_a_home_adds_words_of_its_own(project: Project) -> None:
    project.settings.mappings.mkdir(parents=True)
    (project.settings.mappings / "placeholder_ids.csv").write_text("placeholder_id\nLauf Kundschaft\n(a|b)*\n")
    project.reopen()
    ids = ["lauf-kundschaft", "LAUFKUNDSCHAFT", "(A|B)*", "ab", "guest"]
    project.land(*(purchase(str(number), user_id=id_) for number, id_ in enumerate(ids)))
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    assert [row["user_id"] for row in project.rows("raw_events")] == [None, None, None, "ab", None]
