"""Absence of plaintext e-mail addresses and phone numbers in payloads and bodies."""

import json
import re
import unicodedata
from typing import Any
from urllib.parse import unquote_plus

from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.properties.hour import Hours, few_hours, leaves
from snap_pipeline_tests.properties.people import Event, events


@few_hours
@given(st.lists(events(), min_size=20, max_size=40))
def test_no_payload_and_no_body_names_a_person(hours: Hours, people: list[Event]) -> None:
    lines = [json.dumps({"event_id": f"line {n}"} | person.line) for n, person in enumerate(people)]
    hour = hours.run(lines)
    assert len(hour.payloads) == len(people)
    for row in (*hour.payloads, *hours.bodies("v3"), *hours.bodies("v2")):
        person = people[int(str(row.get("event_id") or row["client_dedup_id"]).removeprefix("line "))]
        seen = readable(row)
        digits = re.sub(r"[^0-9\n]", "", seen)
        named = [email for email in person.emails if unicodedata.normalize("NFC", email).casefold() in seen]
        named += [phone for phone in person.phones if phone in digits]
        assert not named, person.line


def readable(row: dict[str, Any]) -> str:
    """Return every text of a row on a line of its own, percent-decoded."""
    text = "\n".join(text for text in leaves(row) if not re.fullmatch("[0-9a-f]{64}", text))
    for _ in range(3):
        text = unquote_plus(text)
    return unicodedata.normalize("NFC", text).casefold()
