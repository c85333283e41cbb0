"""Any JSON object that lands: accounted for once, and sent as docs/snap-api.md asks for."""

import json
from collections import Counter
from pathlib import Path

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.properties.hour import Hours, few_hours
from snap_pipeline_tests.properties.lines import objects, with_id

SCHEMA = json.loads((Path(__file__).parent / "v3_event.schema.json").read_text())
validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@few_hours
@given(lines=st.lists(objects(), min_size=20, max_size=50), nameless=st.lists(objects(), max_size=3, unique=True))
def test_any_object_ends_in_one_place_and_its_body_fits_the_schema(
    hours: Hours, lines: list[str], nameless: list[str]
) -> None:
    landed = [with_id(line, f"line {number}") for number, line in enumerate(lines, 1)]
    hour = hours.run(landed + nameless)

    read = [row["event_id"] for row in hour.payloads] + hour.excluded
    quarantined = [f"line {number}" for number in hour.quarantined if number <= len(landed)]
    named = [event_id for event_id in read if event_id.startswith("line ")]
    assert Counter(named + quarantined) == Counter(f"line {number}" for number in range(1, len(landed) + 1))
    assert len(read) + len(hour.quarantined) == len(landed) + len(nameless)
    for body in hours.bodies("v3"):
        validator.validate(body)
    assert all(hours.bodies("v2"))
