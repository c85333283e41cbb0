"""An event with a word of denial is never sent, whichever form it is in, wherever it is and however it is spelled."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from snap_pipeline_tests.properties.hour import Hours, few_hours
from snap_pipeline_tests.properties.lines import SEGMENT, WEB

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NOES = ("denied", "no", "Opt-Out", "opted out", "REJECTED", "withdrawn", "disallow", "false", False, 0, "0")
PURPOSES = ("marketing", "Marketing Cookies", "targeted-advertising", "ADS", "ad_storage", "adUserData", "C0004")
PERMITTED = {"analytics": True, "functional": "granted"}
Form = Callable[[str, Any], Any]
"""The consent of a person who refuses a purpose with a word."""


def base64url(bits: str) -> str:
    """Return bits as base64url text without padding."""
    bits += "0" * (-len(bits) % 6)
    return "".join(DIGITS[int(bits[place : place + 6], 2)] for place in range(0, len(bits), 6))


def tc_string(purposes: set[int], created: int) -> str:
    """Return a TC string of version 2 with consents to some purposes, created so many deciseconds after 1970."""
    head = f"{2:06b}{created:036b}{created:036b}{7:012b}{1:012b}{1:06b}{4:06b}{13:06b}{300:012b}{4:06b}10{0:012b}"
    consents = "".join("1" if purpose in purposes else "0" for purpose in range(1, 25))
    return base64url(head + consents + "0" * 61)


def fibonacci(number: int) -> str:
    """Return a number in Fibonacci code."""
    numbers = [1, 2]
    while numbers[-1] <= number:
        numbers.append(numbers[-1] + numbers[-2])
    bits = ""
    for each in reversed(numbers[:-1]):
        taken = each <= number
        number -= each * taken
        bits = ("1" if taken else "0") + bits
    return bits + "1"


def gpp_string(sections: Mapping[int, str]) -> str:
    """Return a GPP string; ids that follow one another are written as a range."""
    ids = sorted(sections)
    runs: list[list[int]] = []
    for each in ids:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    last, items = 0, ""
    for run in runs:
        start = fibonacci(run[0] - last)
        items += f"0{start}" if len(run) == 1 else f"1{start}{fibonacci(run[-1] - run[0])}"
        last = run[-1]
    header = base64url(f"{3:06b}{1:06b}{len(runs):012b}{items}")
    return "~".join([header, *(sections[each] for each in ids)])


FORMS: dict[str, Form] = {
    "plain": lambda purpose, no: no,
    "purposes": lambda purpose, no: {**PERMITTED, purpose: no},
    "Segment": lambda purpose, no: {"categoryPreferences": {**PERMITTED, purpose: no}},
    "RudderStack": lambda purpose, no: {
        "allowedConsentIds": ["analytics"], "deniedConsentIds": ["functional", purpose], "provider": "custom",
    },
    "accepted alone": lambda purpose, no: {"acceptedCategories": ["necessary", "analytics"]},
    "Didomi": lambda purpose, no: {"purposes": {"consent": {"enabled": ["analytics"], "disabled": [purpose]}}},
    "mParticle": lambda purpose, no: {"gdpr": {"analytics": {"consented": True}, purpose: {"consented": no}}},
    "objects": lambda purpose, no: [{"purpose": "analytics", "granted": True}, {"purpose": purpose, "granted": no}],
    "OneTrust's active groups": lambda purpose, no: ",C0001,C0002,",
    "OneTrust's groups": lambda purpose, no: {"groups": "C0001:1,C0002:1,C0004:0"},
    "TC data": lambda purpose, no: {
        "purpose": {"consents": {"1": True, "3": False, "4": True, "7": True}}, "vendor": {"consents": {"3": True}},
    },
    "gcs": lambda purpose, no: {"gcs": "G101"},
    "gcd": lambda purpose, no: {"gcd": "13r3r3q3r5"},
}  # fmt: skip
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "consent": lambda consent: {"consent": consent},
    "consent as text": lambda consent: {"consent": json.dumps(consent)},
    "context.consent": lambda consent: {"context": {"consent": consent}},
    "context.consentManagement": lambda consent: {"context": {"consentManagement": consent}},
    "beside a grant": lambda consent: {"consent": {"advertising": True}, "context": {"consent": consent}},
    "properties": lambda consent: {"properties": WEB["properties"] | {"consent": consent}},
    "a column": lambda consent: {"consent_state": consent},
}
forms = st.tuples(
    st.sampled_from(sorted(FORMS)), st.sampled_from(sorted(PLACES)), st.sampled_from(PURPOSES), st.sampled_from(NOES)
)


def refused(form: str, place: str, purpose: str, no: Any) -> dict[str, Any]:
    """Return an event whose person refuses advertising."""
    base = SEGMENT if place.startswith("context") else WEB
    given = PLACES[place](FORMS[form](purpose, no))
    return base | given | ({"context": base.get("context", {}) | given["context"]} if "context" in given else {})


def assert_all_excluded(hours: Hours, events: list[dict[str, Any]]) -> None:
    lines = [json.dumps({"event_id": f"{number:05}", "messageId": f"{number:05}"} | each)
             for number, each in enumerate(events)]  # fmt: skip
    outcome = hours.run(lines)
    sent = {row["event_id"] for row in outcome.payloads}
    assert [events[int(number)] for number in sent] == []
    assert len(outcome.excluded) == len(events)


def test_a_denial_in_any_form_and_place_is_never_sent(hours: Hours) -> None:
    assert_all_excluded(
        hours,
        [
            refused(form, place, PURPOSES[number % len(PURPOSES)], NOES[number % len(NOES)])
            for number, (form, place) in enumerate((form, place) for form in FORMS for place in PLACES)
        ],
    )


@settings(few_hours, max_examples=4)
@given(st.lists(forms, min_size=150, max_size=200))
def test_a_denial_in_any_spelling_is_never_sent(hours: Hours, cases: list[tuple[str, str, str, Any]]) -> None:
    assert_all_excluded(hours, [refused(*case) for case in cases])


@settings(few_hours, max_examples=4)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 10)),
            st.sampled_from((1, 3, 4, 7)),
            st.integers(16_000_000_000, 19_000_000_000),
            st.sets(st.integers(3, 40)),
            st.sampled_from(("tc_string", "tcString", "gdpr_consent", "euconsent-v2", "gpp", "gpp_string")),
        ),
        min_size=100,
        max_size=150,
    )
)
def test_a_string_without_a_purpose_is_never_sent(
    hours: Hours, cases: list[tuple[set[int], int, int, set[int], str]]
) -> None:
    """Whatever other sections a GPP string has, known ones or not."""
    events = []
    for purposes, missing, created, sections, key in cases:
        text = tc_string(purposes - {missing}, created)
        if key.startswith("gpp"):
            others = {each: "1YNN" if each == 6 else "BVVqAAAAAAA.QA" for each in sections}
            text = gpp_string(others | {2: text})
        events.append(WEB | ({key: text} if len(sections) % 2 else {"consent": {key: text}}))
    assert_all_excluded(hours, events)


@settings(few_hours, max_examples=4)
@given(st.lists(st.sampled_from(range(7, 28)), min_size=60, max_size=80), st.data())
def test_a_us_section_with_an_opt_out_is_limited_use(hours: Hours, ids: list[int], data: st.DataObject) -> None:
    events = []
    for section in ids:
        places = {7: (18, 20, 22), 11: (14, 16), 18: (14, 16)}.get(section, (12, 14) if section < 24 else (16, 18))
        bits = [*f"{1:06b}", *"00" * 21]
        for place in places:
            bits[place : place + 2] = "10"
        opted_out = data.draw(st.sampled_from(places))
        bits[opted_out : opted_out + 2] = "01"
        events.append(WEB | {"gpp": gpp_string({section: base64url("".join(bits)), 6: "1YNN"})})
    assert all(row["limited_use"] for row in hours.payloads(events))
