"""Two strangers with a placeholder id share nothing, whichever placeholder, and wherever each of them has it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline.lake.mappings import SEEDS
from snap_pipeline_tests.properties.hour import Hours, few_hours
from snap_pipeline_tests.properties.lines import WEB

WORDS = (SEEDS / "placeholder_ids.csv").read_text().split("\n")[1:-1]
PLACES = ("user_id", "userId", "anonymous_id", "anonymousId", "external_id")
SECRETS = {"email": "stranger@example.com", "phone": "+447700900001", "click_ids": {"ScCid": "strangers-click"}}
"""Signals that one of the strangers gives."""
COLUMNS = ("em", "ph", "sc_click_id", "external_id")

words = st.builds(
    lambda word, spelling, joint, around: around.format(spelling(word).replace(" ", joint)),
    st.sampled_from(WORDS),
    st.sampled_from((str, str.upper, str.title)),
    st.sampled_from(("", " ", "_", "-", ".")),
    st.sampled_from(("{}", "({})", "[{}]", '"{}"', "<{}>", "_{}_")),
)
repeated = st.builds(lambda character, times: character * times, st.sampled_from("0axfz-*.?"), st.integers(2, 40))
uuids = st.sampled_from("0123456789abcdef").map(lambda c: f"{c * 8}-{c * 4}-{c * 4}-{c * 4}-{c * 12}")
marks = st.builds(
    lambda name, mark: mark.format(name),
    st.sampled_from(("user_id", "id", "visitor.id", "USER_ID")),
    st.sampled_from(
        ("{{{{{}}}}}", "${{{}}}", "#{{{}}}", "<%= {} %>", "%%{}%%", "[{}]", "[[{}]]", "*|{}|*", "x-{{{{{}}}}}")
    ),
)
numbers = st.sampled_from(("0", "-1", "0.0", "-99", "00", "-9999"))
placeholders = words | repeated | uuids | marks | numbers


@st.composite
def strangers(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Generate a placeholder, the event of one who says it all and refuses consent, and another one's purchase."""
    placeholder = draw(placeholders)
    places = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True)
    one = SECRETS | dict.fromkeys(draw(places), placeholder)
    if draw(st.booleans()):
        one |= {"type": "alias", "previous_id": placeholder}
    if draw(st.booleans()):
        one |= {"consent": {"ads": False}}
    return placeholder, one, dict.fromkeys(draw(places), placeholder)


@few_hours
@given(pairs=st.lists(strangers(), min_size=30, max_size=30))
def test_two_strangers_with_a_placeholder_id_share_nothing(
    hours: Hours, pairs: list[tuple[str, dict[str, Any], dict[str, Any]]]
) -> None:
    base = {name: value for name, value in json.loads(json.dumps(WEB)).items() if name not in SECRETS}
    lines = []
    for number, (_, one, other) in enumerate(pairs):
        lines.append(json.dumps(base | {"event_id": f"one-{number}"} | one))
        lines.append(json.dumps(base | {"event_id": f"other-{number}"} | other))
    made = {row["event_id"]: row for row in hours.run(lines).payloads}
    for number, (placeholder, _, other) in enumerate(pairs):
        row = made.get(f"other-{number}")
        assert row is not None, placeholder
        assert {column: row[column] for column in COLUMNS} == dict.fromkeys(COLUMNS), (placeholder, other)
        assert row["linked"] == [], (placeholder, other)
        assert row["dropped"], (placeholder, other)
