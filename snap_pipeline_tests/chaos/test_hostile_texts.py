"""Hours of hostile texts in every field, with ten good events among them: the ten are delivered, and no step fails."""

import json
import string
from collections import Counter
from typing import Any

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.chaos.conftest import Chaos
from snap_pipeline_tests.lake.test_macros_plaintext import ENCODINGS
from snap_pipeline_tests.project import HOUR, Project, purchase
from snap_pipeline_tests.properties.lines import HAZARDS, places

GOOD, HOSTILE = 10, 60
PERSON = "qqperson"
ADDRESSES = (f"{PERSON}@example.com", f"{PERSON}@почта.рф", f"{PERSON}＠example．com", f"x'{PERSON}@sub.example.museum")
AROUND = (
    "{}", "call me\n{}", "\t{}", '"{}"', "/?@{}", "/@{}", "mailto:{}", "https://{}/p?x=1", "https://shop.example/?u={}",
    '{{"email": "{}"}}', '[{{"id": "{}"}}]', "\x00{}", "\x1f{}\x7f", "\u2028{}", "{} +44 7700 900123",
)  # fmt: skip
ODD = (
    "\ud800",
    "\udc00{}",
    "a" * 100_000,
    "%" * 50,
    "&#" * 50,
    "\\u" * 50,
    "%ff%fe",
    "&#99999999;",
    "{{",
    "'; drop --",
)


def hostile_text(chaos: Chaos) -> str:
    """Return a random text, possibly hostile."""
    around = chaos.random.choice(
        (*AROUND, *ODD)
        if chaos.random.random() < 0.8
        else (
            "".join(chaos.random.choices(string.printable + "＠éж\u200b", k=20)).replace("{", "").replace("}", "")
            + "{}",
        )
    )
    encode = chaos.random.choice(list(ENCODINGS.values()))
    return around.replace("{{", "{").replace("}}", "}").replace("{}", encode(chaos.random.choice(ADDRESSES)))


def hostile_value(chaos: Chaos) -> Any:
    """Return a text, alone, in lists and objects or as a key, a hazardous value, or deeply nested JSON."""
    text = hostile_text(chaos)
    return chaos.random.choice(
        (text, text, text, [text], {text: text}, {"a": [text, {"b": text}]}, json.dumps({text: [text]}), _deep(chaos))
    )


def _deep(chaos: Chaos) -> Any:
    value: Any = hostile_text(chaos)
    for _ in range(chaos.random.choice((10, 200, 900))):
        value = [value]
    return value


def hostile_line(chaos: Chaos, event_id: str) -> str:
    """Return a purchase with hostile values in some of its fields."""
    event = purchase(event_id)
    for place in chaos.random.sample(places(), 3):
        node = event
        for name in place[:-1]:
            node = node.setdefault(name, {}) if isinstance(node.get(name, {}), dict) else event
        node[place[-1]] = hostile_value(chaos)
    event["properties"] = event.get("properties") or {}
    if isinstance(event["properties"], dict):
        event["properties"][hostile_text(chaos)] = hostile_value(chaos)
        if chaos.random.random() < 0.2:
            event["properties"] = json.dumps(event["properties"])
    line = json.dumps(event, ensure_ascii=chaos.random.random() < 0.5).encode("utf-8", "replace").decode()
    return line.replace(": 10", f": {chaos.random.choice(HAZARDS)}") if chaos.random.random() < 0.2 else line


def test_ten_good_events_are_delivered_from_among_hostile_texts(project: Project, chaos: Chaos) -> None:
    project.add_destination()
    bins: Counter[str] = Counter()
    for number in chaos.rounds(1):
        hour = HOUR - number * ONE_HOUR
        good = [purchase(f"good-{number}-{n}", at=hour) for n in range(GOOD)]
        hostile = [hostile_line(chaos, f"line-{number}-{n}") for n in range(GOOD + 1, GOOD + HOSTILE + 1)]
        project.land(*good, *hostile, hour=hour)
        before = len(project.requests_seen())
        result = project.materialize(hour)
        assert [event.step_key for event in result.filter_events(lambda event: event.is_step_failure)] == []
        assert len(project.requests_seen()) > before

        excluded = [row["event_id"] for row in project.rows("excluded_events", hour=hour)]
        payloads = [row["event_id"] for row in project.rows("conversion_payloads", hour=hour)]
        quarantined = [f"line-{number}-{row['line_number']}" for row in project.rows("quarantined_lines", hour=hour)]
        assert Counter(excluded + payloads + quarantined) == Counter(
            [f"good-{number}-{n}" for n in range(GOOD)]
            + [f"line-{number}-{n}" for n in range(GOOD + 1, GOOD + HOSTILE + 1)]
        )
        counts = project.counts(hour)
        assert not counts.get("pending") and not counts.get("in_doubt")
        assert not counts.get("undeliverable: plaintext_found"), "set aside, so safe, but it could have been sent"
        bins.update({name: counts.get(name, 0) for name in ("delivered", "rejected", "excluded", "quarantined")})
    received = project.received()
    good_ids = {f"good-{number}-{n}" for number in chaos.rounds(1) for n in range(GOOD)}
    assert good_ids <= {event["event_id"] for event in received}
    for event in received:
        user_data = event["event"].get("user_data", {})
        user_data.pop("client_user_agent", None)
        assert PERSON not in json.dumps(event["event"], ensure_ascii=False).casefold(), event
    chaos.figures(hours=len(chaos.rounds(1)), **bins)
