"""Hashes that land are kept, whether a site or another pipeline made them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from snap_pipeline_tests.properties.hour import Hours, few_hours
from snap_pipeline_tests.properties.lines import WEB
from snap_pipeline_tests.properties.people import emails, phones

V3 = {
    "email": "em", "phone": "ph", "first_name": "fn", "last_name": "ln", "gender": "ge", "city": "ct", "state": "st",
    "zip": "zp", "country": "country",
}  # fmt: skip
"""Hashed fields, and the columns that hold the hash."""
V2 = V3 | {"first_name": "first_name_v2", "last_name": "last_name_v2", "city": "city_v2"}
words = st.text(max_size=12) | st.sampled_from(
    ("John", "Raphaël", "O'Neil", "Los Angeles", "SW1A 1AA", "CA", "f", "US")
)
people = st.fixed_dictionaries(
    {
        "email": st.lists(emails, min_size=1, max_size=2),
        "phone": phones().map(lambda phone: phone.written),
        **{name: words for name in V3 if name not in ("email", "phone")},
    }
)


@settings(few_hours, max_examples=6)
@given(st.lists(people, min_size=10, max_size=20))
def test_hashes_that_land_come_out_as_they_are(hours: Hours, given_people: list[dict[str, Any]]) -> None:
    hashes = [
        {field: row[column] for field, column in columns.items()}
        for row in hours.payloads(WEB | person for person in given_people)
        for columns in (V3, V2)
    ]
    again = hours.payloads(WEB | each for each in hashes)
    assert [{field: row[column] for field, column in V3.items()} for row in again] == hashes
    assert [row["city_v2"] for row in again] == [each["city"] for each in hashes]
