"""Amounts, currencies, counts and times, from the texts that client libraries send for them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline.lake.macros import use
from snap_pipeline_tests.lake.macros import call, call_each, connection, many_rows, texts


@pytest.mark.parametrize(
    ("given_text", "amount"),
    [
        ("12", 12.0),
        ("12.5", 12.5),
        (" 0 ", 0.0),
        ("0.00", 0.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E+2", 150.0),
        ("1.299", 1.299),
        ("1,299.00", 1299.0),
        ("1,299", 1299.0),
        ("1,234,567", 1234567.0),
        ("1,29,900.00", 129900.0),
        ("1'299.50", 1299.5),
        ("1.299,00", 1299.0),
        ("1.299.000", 1299000.0),
        ("1,29", 1.29),
        ("49,90", 49.9),
        ("0,500", 0.5),
        ("1 299,00", 1299.0),
        ("1\u202f299,00 zł", 1299.0),
        ("€ 12.5", 12.5),
        ("12,50 €", 12.5),
        ("12.50 USD", 12.5),
        ("US$ 12", 12.0),
        ("R$ 1.299,00", 1299.0),
        ("Rs. 1,29,900", 129900.0),
    ],
)
def test_an_amount_is_read_in_every_way_that_shops_write_it(given_text: str, amount: float) -> None:
    assert call("money", given_text) == amount


@pytest.mark.parametrize(
    "given_text",
    ["", "-12.50", "€ -5", "(5)", "NaN", "Infinity", "1e400", "free", "12k", "1,29,00", "12..5", "1 2 3", "5%", None],
)
def test_what_is_no_amount_is_none(given_text: str | None) -> None:
    assert call("money", given_text) is None


@many_rows
@given(st.lists(st.decimals(0, 10**9, places=2), max_size=20))
def test_amounts_survive_both_ways_of_grouping(amounts: list[object]) -> None:
    english = [f"{amount:,.2f}" for amount in amounts]
    continental = [text.translate(str.maketrans(",.", ".,")) for text in english]
    numbers = [float(str(amount)) for amount in amounts]
    assert call_each("money(text)", english) == numbers
    assert call_each("money(text)", continental) == numbers


@pytest.mark.parametrize(
    ("given_text", "code"),
    [("usd", "USD"), (" EUR\u00a0", "EUR"), ("$", None), ("US", None), ("EURO", None), ("null", None), (None, None)],
)
def test_a_currency_is_three_letters(given_text: str | None, code: str | None) -> None:
    assert call("currency_code", given_text) == code


@pytest.mark.parametrize(
    ("given_text", "number"),
    [("5", 5), (" 5.0 ", 5), ("0", 0), ("2.5", None), ("-1", None), ("1e3", None), ("9" * 19, None), (None, None)],
)
def test_a_count_has_no_fraction(given_text: str | None, number: int | None) -> None:
    assert call("whole_number", given_text) == number


AT_TEN = datetime(2026, 11, 20, 10)


@pytest.mark.parametrize("session_time_zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    ("given_text", "instant"),
    [
        ("2026-11-20T10:00:00Z", AT_TEN),
        ("2026-11-20t10:00:00z", AT_TEN),
        ("2026-11-20T10:00Z", AT_TEN),
        ("2026-11-20T10:00:00", AT_TEN),
        ("2026-11-20 10:00:00 UTC", AT_TEN),
        (" 2026-11-20 10:00:00 ", AT_TEN),
        ("2026-11-20T12:00:00+02:00", AT_TEN),
        ("2026-11-20T12:00:00 +0200", AT_TEN),
        ("2026-11-20T15:30:00+0530", AT_TEN),
        ("2026-11-20 05:00:00-05", AT_TEN),
        ("2026-11-20T10:00:00.123456789Z", AT_TEN.replace(microsecond=123456)),
        ("2026-11-20T10:00:00.5+00:00", AT_TEN.replace(microsecond=500000)),
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1)),
        ("2100-12-31T23:59:59Z", datetime(2100, 12, 31, 23, 59, 59)),
        ("2026-11-20T10:00:00:Z", AT_TEN),
        ("2026-11-20T10:00:Z", AT_TEN),
        ("2026-11-20T10:00:00,123Z", AT_TEN.replace(microsecond=123000)),
        ("2026-11-20 12:00:00,5 +0200", AT_TEN.replace(microsecond=500000)),
        ("2026/11/20 10:00:00", AT_TEN),
        ("2026/11/20 10:00:00.250", AT_TEN.replace(microsecond=250000)),
        ("2026/11/20", datetime(2026, 11, 20)),
        ("20261120T100000Z", AT_TEN),
        ("20261120T100000.5Z", AT_TEN.replace(microsecond=500000)),
        ("20261120T120000+0200", AT_TEN),
        ("20261120T1000Z", AT_TEN),
        ("Fri Nov 20 2026 11:00:00 GMT+0100 (CET)", AT_TEN),
        ("Fri Nov 20 2026 15:30:00 GMT+0530 (India Standard Time)", AT_TEN),
        ("Fri Nov 20 2026 10:00:00 GMT", AT_TEN),
        ("Thu Jan 01 2026 11:00:00 GMT+0100 (Mitteleuropäische Normalzeit)", datetime(2026, 1, 1, 10)),
        ("Fri, 20 Nov 2026 10:00:00 GMT", AT_TEN),
        ("Fri, 20 Nov 2026 05:00:00 -0500", AT_TEN),
        ("Fri, 20 Nov 2026 05:00:00 -0500 (EST)", AT_TEN),
        ("Sun, 1 Mar 2026 10:00 UT", datetime(2026, 3, 1, 10)),
        ("20 Nov 2026 10:00:00 +0000", AT_TEN),
        ("Fri Nov 20 10:00:00 2026", AT_TEN),
        ("Sun Mar  1 10:00:00 2026", datetime(2026, 3, 1, 10)),
        ("Fri Nov 20 10:00:00 UTC 2026", AT_TEN),
        ("Fri Nov 20 12:00:00 +0200 2026", AT_TEN),
        ("2026-11-20 12:00:00.5 +0200 CEST", AT_TEN.replace(microsecond=500000)),
        ("2026-11-20 10:00:00 +0000 UTC", AT_TEN),
        ("1795168800", AT_TEN),
        ("1795168800.5", AT_TEN.replace(microsecond=500000)),
        ("1795168800123", AT_TEN.replace(microsecond=123000)),
        ("1795168800123456", AT_TEN.replace(microsecond=123456)),
        ("1795168800123456789", AT_TEN.replace(microsecond=123456)),
        ("1.7951688e9", AT_TEN),
        ("1.795168800123E12", AT_TEN.replace(microsecond=123000)),
    ],
)
def test_a_time_is_read_in_every_unit_and_offset(given_text: str, instant: datetime, session_time_zone: str) -> None:
    with connection().cursor() as session:
        use(session)
        session.execute(f"set TimeZone = '{session_time_zone}'")
        assert session.execute("select event_timestamp(?)", [given_text]).fetchall() == [(instant,)]


@pytest.mark.parametrize(
    "given_text",
    [
        "",
        "yesterday",
        "infinity",
        "2026",
        "20261120",
        "01/02/2026",
        "01/02/2026 10:00:00",
        "11/20/2026, 10:00:00 AM",
        "20.11.2026 10:00",
        "Fri Nov 20 10:00:00 EST 2026",
        "Fri, 20 Nov 2026 10:00:00 EST",
        "Fri, 20 Foo 2026 10:00:00 GMT",
        "Fri Nov 31 2026 10:00:00 GMT+0100 (CET)",
        "20261120T250000Z",
        "2026-02-30",
        "2026-11-20T25:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:00:00+99:00",
        "2026-11-20 10:00:00 America/New_York",
        "1999-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "0",
        "-1795168800",
        "99999999999999999999",
        None,
    ],
)
def test_what_is_no_time_of_ours_is_none(given_text: str | None) -> None:
    assert call("event_timestamp", given_text) is None


@many_rows
@given(
    st.lists(
        st.datetimes(
            datetime(2001, 1, 1),
            datetime(2099, 12, 31),
            timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
        ),
        max_size=20,
    )
)
def test_every_time_that_python_writes_is_read(instants: list[datetime]) -> None:
    in_utc = [instant.astimezone(UTC).replace(tzinfo=None) for instant in instants]
    assert call_each("event_timestamp(text)", [instant.isoformat() for instant in instants]) == in_utc


@many_rows
@given(texts)
def test_any_text_is_taken(values: list[str | None]) -> None:
    for expression in ("money(text)", "currency_code(text)", "whole_number(text)", "event_timestamp(text)"):
        call_each(expression, values)
