"""Scenarios of people on a site: their events, and the expected payloads.

Each story has a workspace of its own, and all share the same hours, so that one lake holds them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


def digest(text: str) -> str:
    """Return the hash of a normalized identifier."""
    return sha256(text.encode()).hexdigest()


ANN, BOB = "ann@example.com", "bob@example.com"
ANNS_PHONE, BOBS_PHONE = "+447700900001", "+447700900002"
DENIED, GRANTED = {"ads": False}, {"ads": True}


@dataclass(frozen=True)
class Happening:
    """An event, with its time in hours since the story's beginning."""

    hours: float
    event: Mapping[str, Any]


def at(hours: float, event_name: str, **event: Any) -> Happening:
    """Return an event of a story. Hours may have fractions: 1.5 is half an hour into the second hour."""
    return Happening(hours, {"event_name": event_name, **event})


@dataclass(frozen=True)
class Story:
    """Events, with the expected payload values by event id, or the expected exclusion reason."""

    name: str
    happenings: list[Happening]
    expected: Mapping[str, Mapping[str, Any] | str]


def known(**identifiers: Any) -> Mapping[str, Any]:
    """Return expected values of a payload; values that are not named do not matter."""
    return identifiers


STORIES = [
    Story(
        "landing-click-then-purchase-next-day",
        [
            at(0, "page_view", anonymous_id="a", page_url="https://shop.example.com/?ScCid=Click-1"),
            at(24, "purchase", event_id="p", anonymous_id="a"),
        ],
        {"p": known(sc_click_id="Click-1")},
    ),
    Story(
        "the-newest-click-that-is-older-than-the-event",
        [
            at(0.1, "page_view", anonymous_id="a", click_ids={"ScCid": "first"}),
            at(0.2, "purchase", event_id="after-first", anonymous_id="a"),
            at(0.3, "page_view", anonymous_id="a", click_ids={"ScCid": "second"}),
            at(0.4, "purchase", event_id="after-second", anonymous_id="a"),
            at(0.05, "purchase", event_id="before", anonymous_id="a"),
        ],
        {
            "before": known(sc_click_id=None),
            "after-first": known(sc_click_id="first"),
            "after-second": known(sc_click_id="second"),
        },
    ),
    Story(
        "a-click-of-28-days-ago-counts-and-an-older-one-does-not",
        [
            at(-28 * 24 - 1, "page_view", anonymous_id="a", click_ids={"ScCid": "old"}),
            at(0, "purchase", event_id="late", anonymous_id="a"),
            at(-1.5, "purchase", event_id="in-time", anonymous_id="a"),
        ],
        {"late": known(sc_click_id=None), "in-time": known(sc_click_id="old")},
    ),
    Story(
        "e-mail-at-check-out",
        [
            at(0, "view_item", event_id="hour-before", anonymous_id="a"),
            at(1.1, "view_item", event_id="same-hour", anonymous_id="a"),
            at(1.2, "begin_checkout", event_id="own", anonymous_id="a", email=ANN, phone=ANNS_PHONE, first_name="Ann"),
            at(1.3, "purchase", event_id="after", anonymous_id="a"),
            at(5, "purchase", event_id="later", anonymous_id="a", first_name="Anna"),
        ],
        {
            "hour-before": known(em=None),
            "same-hour": known(em=[digest(ANN)]),
            "after": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])], fn=digest("ann")),
            "later": known(em=[digest(ANN)], fn=digest("anna")),
        },
    ),
    Story(
        "the-newest-value-wins-among-links",
        [
            at(0, "login", anonymous_id="a", user_id="u", email=BOB, phone=BOBS_PHONE),
            at(1, "login", anonymous_id="a", user_id="u", email=ANN),
            at(2, "purchase", event_id="p", anonymous_id="a"),
        ],
        {"p": known(em=[digest(ANN)], ph=[digest(BOBS_PHONE[1:])], external_id=["u"])},
    ),
    Story(
        "two-people-on-one-tablet",
        [
            at(0.0, "view_item", event_id="nobody-yet", anonymous_id="tablet"),
            at(1.0, "identify", type="identify", anonymous_id="tablet", user_id="ann", email=ANN, phone=ANNS_PHONE),
            at(1.1, "view_item", event_id="anns", anonymous_id="tablet"),
            at(1.2, "identify", type="identify", anonymous_id="tablet", user_id="bob", email=BOB),
            at(1.3, "view_item", event_id="bobs", anonymous_id="tablet"),
            at(1.4, "identify", type="identify", anonymous_id="tablet", user_id="ann"),
            at(1.5, "view_item", event_id="anns-again", anonymous_id="tablet"),
            at(4.0, "view_item", event_id="anns-later", anonymous_id="tablet"),
            at(5.0, "login", event_id="bob-comes-back", anonymous_id="tablet", user_id="bob"),
            at(6.0, "purchase", event_id="bobs-later", anonymous_id="tablet"),
            at(6.1, "purchase", event_id="anns-by-id", anonymous_id="tablet", user_id="ann"),
            at(6.2, "purchase", event_id="a-guest", anonymous_id="tablet", email="guest@example.com"),
        ],
        {
            "nobody-yet": known(em=None, external_id=None),
            "anns": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])], external_id=["ann"]),
            "bobs": known(em=[digest(BOB)], ph=None, external_id=["bob"]),
            "anns-again": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])], external_id=["ann"]),
            "anns-later": known(em=[digest(ANN)], external_id=["ann"]),
            "bob-comes-back": known(em=[digest(BOB)], ph=None),
            "bobs-later": known(em=[digest(BOB)], ph=None, external_id=["bob"]),
            "anns-by-id": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])]),
            "a-guest": known(em=[digest("guest@example.com")], ph=None, external_id=None),
        },
    ),
    Story(
        "a-guest-s-click-belongs-to-whom-the-tablet-knew-last",
        [
            at(0.0, "login", anonymous_id="tablet", user_id="ann"),
            at(0.1, "login", anonymous_id="tablet", user_id="bob"),
            at(0.2, "page_view", anonymous_id="tablet", click_ids={"ScCid": "bobs"}),
            at(1.0, "purchase", event_id="bobs", user_id="bob"),
            at(1.1, "purchase", event_id="anns", user_id="ann"),
        ],
        {"bobs": known(sc_click_id="bobs"), "anns": known(sc_click_id=None)},
    ),
    Story(
        "two-devices-of-one-person",
        [
            at(0.0, "page_view", anonymous_id="phone", click_ids={"ScCid": "on-the-phone"}, sc_cookie1="cookie"),
            at(0.5, "login", anonymous_id="phone", user_id="ann", email=ANN),
            at(3.0, "view_item", event_id="before-log-in", anonymous_id="laptop"),
            at(4.0, "login", anonymous_id="laptop", user_id="ann"),
            at(5.0, "purchase", event_id="p", anonymous_id="laptop"),
            at(5.1, "purchase", event_id="from-the-server", user_id="ann"),
        ],
        {
            "before-log-in": known(em=None, sc_click_id=None),
            "p": known(em=[digest(ANN)], sc_click_id="on-the-phone", sc_cookie1="cookie", external_id=["ann"]),
            "from-the-server": known(em=[digest(ANN)], sc_click_id="on-the-phone"),
        },
    ),
    Story(
        "alias",
        [
            at(0, "page_view", anonymous_id="visitor", click_ids={"ScCid": "c"}),
            at(1, "sign_up", type="track", event="Signed Up", anonymous_id="visitor", email=ANN),
            at(2, "alias", type="alias", previous_id="visitor", user_id="member"),
            at(3, "purchase", event_id="p", user_id="member"),
            at(4, "alias", type="alias", previous_id="member", user_id="vip"),
            at(5, "purchase", event_id="q", user_id="vip"),
            at(6, "purchase", event_id="r", anonymous_id="visitor"),
        ],
        {
            "p": known(em=[digest(ANN)], sc_click_id="c"),
            "q": known(em=[digest(ANN)], sc_click_id="c"),
            "r": known(em=[digest(ANN)], sc_click_id="c"),
        },
    ),
    Story(
        "a-plain-no-then-a-plain-yes",
        [
            at(0, "consent_update", anonymous_id="a", consent="denied"),
            at(1, "purchase", event_id="after-no", anonymous_id="a"),
            at(2, "consent_update", anonymous_id="a", properties={"consent": True}),
            at(3, "purchase", event_id="after-yes", anonymous_id="a"),
            at(4, "consent_update", anonymous_id="a", properties={"consent": "no"}),
            at(5, "purchase", event_id="after-second-no", anonymous_id="a"),
        ],
        {
            "after-no": "consent_denied",
            "after-yes": known(event_name="PURCHASE"),
            "after-second-no": "consent_denied",
        },
    ),
    Story(
        "consent-denied-then-granted",
        [
            at(0.1, "purchase", event_id="before", anonymous_id="a"),
            at(0.2, "consent_update", anonymous_id="a", properties={"ad_storage": "denied"}),
            at(0.3, "purchase", event_id="same-hour", anonymous_id="a", email=ANN),
            at(3.0, "purchase", event_id="hours-later", anonymous_id="a"),
            at(
                4.0, "consent_update", anonymous_id="a", properties={"ad_storage": "granted", "ad_user_data": "granted"}
            ),
            at(5.0, "purchase", event_id="again", anonymous_id="a"),
        ],
        {
            "before": known(event_name="PURCHASE"),
            "same-hour": "consent_denied",
            "hours-later": "consent_denied",
            "again": known(event_name="PURCHASE"),
        },
    ),
    Story(
        "denied-on-the-phone-bought-on-the-laptop",
        [
            at(0, "consent_update", anonymous_id="phone", user_id="ann", consent={"categoryPreferences": DENIED}),
            at(1, "purchase", event_id="not-logged-in", anonymous_id="laptop"),
            at(2, "login", event_id="login", anonymous_id="laptop", user_id="ann"),
            at(3, "purchase", event_id="logged-in", anonymous_id="laptop"),
            at(4, "purchase", event_id="says-yes-itself", anonymous_id="laptop", consent=GRANTED),
            at(5, "purchase", event_id="from-the-server", user_id="ann"),
        ],
        {
            "not-logged-in": known(event_name="PURCHASE"),
            "login": "consent_denied",
            "logged-in": "consent_denied",
            "says-yes-itself": known(event_name="PURCHASE"),
            "from-the-server": known(event_name="PURCHASE"),
        },
    ),
    Story(
        "one-person-s-refusal-is-not-another-s",
        [
            at(0.0, "login", anonymous_id="tablet", user_id="ann", consent=DENIED),
            at(1.0, "login", anonymous_id="tablet", user_id="bob"),
            at(2.0, "purchase", event_id="bobs", anonymous_id="tablet"),
            at(2.1, "purchase", event_id="anns", anonymous_id="tablet", user_id="ann"),
        ],
        {"bobs": known(event_name="PURCHASE"), "anns": "consent_denied"},
    ),
    Story(
        "refused-before-log-in-stays-refused-when-others-log-in-later",
        [
            at(0.0, "consent_update", anonymous_id="tablet", consent=DENIED),
            at(0.1, "purchase", event_id="before-log-in", anonymous_id="tablet"),
            at(1.0, "login", anonymous_id="tablet", user_id="ann"),
            at(2.0, "login", anonymous_id="tablet", user_id="bob"),
            at(3.0, "purchase", event_id="anns", anonymous_id="tablet", user_id="ann"),
            at(3.1, "purchase", event_id="anns-elsewhere", user_id="ann"),
            at(3.2, "purchase", event_id="bobs", user_id="bob"),
        ],
        {
            "before-log-in": "consent_denied",
            "anns": "consent_denied",
            "anns-elsewhere": "consent_denied",
            "bobs": known(event_name="PURCHASE"),
        },
    ),
    Story(
        "ids-that-are-renamed-in-a-circle-are-one-person",
        [
            at(0, "login", anonymous_id="phone", user_id="ann", email=ANN),
            at(1, "alias", type="alias", previous_id="ann", user_id="member"),
            at(2, "login", anonymous_id="laptop", user_id="member", phone=ANNS_PHONE),
            at(3, "alias", type="alias", previous_id="member", user_id="ann"),
            at(4, "purchase", event_id="p", anonymous_id="phone"),
            at(4.1, "purchase", event_id="q", user_id="member"),
        ],
        {
            "p": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])]),
            "q": known(em=[digest(ANN)], ph=[digest(ANNS_PHONE[1:])]),
        },
    ),
    Story(
        "an-anonymous-id-spelled-as-somebody-s-user-id-is-not-them",
        [
            at(0, "login", anonymous_id="phone", user_id="17", email=ANN, click_ids={"ScCid": "anns"}),
            at(1, "purchase", event_id="p", anonymous_id="17"),
        ],
        {"p": known(em=None, sc_click_id=None, external_id=None)},
    ),
    Story(
        "a-device-that-repeats-an-old-yes-has-not-chosen-again",
        [
            at(0, "page_view", anonymous_id="laptop", user_id="ann", consent=GRANTED),
            at(1, "consent_update", anonymous_id="phone", user_id="ann", consent=DENIED),
            at(2, "page_view", anonymous_id="laptop", user_id="ann", consent=GRANTED),
            at(3, "purchase", event_id="from-the-server", user_id="ann"),
        ],
        {"from-the-server": "consent_denied"},
    ),
    Story(
        "a-no-said-again-after-a-yes-counts",
        [
            at(0.1, "consent_update", anonymous_id="a", consent=DENIED),
            at(0.2, "consent_update", anonymous_id="a", user_id="ann", consent=GRANTED),
            at(0.3, "consent_update", anonymous_id="a", consent=DENIED),
            at(1.0, "purchase", event_id="p", anonymous_id="a"),
        ],
        {"p": "consent_denied"},
    ),
    Story(
        "limited-use-goes-on",
        [
            at(0, "page_view", anonymous_id="a", consent={"us_privacy": "1YYN"}),
            at(1, "purchase", event_id="p", anonymous_id="a"),
            at(2, "consent_update", anonymous_id="a", consent=GRANTED),
            at(3, "purchase", event_id="q", anonymous_id="a"),
        ],
        {"p": known(limited_use=True), "q": known(limited_use=False)},
    ),
    Story(
        "what-a-refusing-person-entered-is-not-kept",
        [
            at(0, "page_view", anonymous_id="a", email=ANN, consent=DENIED),
            at(1, "purchase", event_id="p", anonymous_id="a", consent=GRANTED),
        ],
        {"p": known(em=None)},
    ),
    Story(
        "guests-of-one-device-are-not-mixed",
        [
            at(0.0, "begin_checkout", anonymous_id="kiosk", email=ANN, phone=ANNS_PHONE),
            at(1.0, "begin_checkout", anonymous_id="kiosk", email=BOB),
            at(2.0, "purchase", event_id="p", anonymous_id="kiosk"),
            at(3.1, "purchase", event_id="anns", anonymous_id="kiosk", email=ANN),
        ],
        {"p": known(em=[digest(BOB)], ph=None), "anns": known(em=[digest(ANN)])},
    ),
    Story(
        "ids-that-are-addresses-are-hashed",
        [
            at(0, "login", anonymous_id=ANN, user_id=BOB, phone=BOBS_PHONE),
            at(1, "purchase", event_id="p", anonymous_id=ANN),
        ],
        {"p": known(ph=[digest(BOBS_PHONE[1:])], external_id=[digest(BOB)])},
    ),
    Story(
        "an-external-id-names-a-person-as-well",
        [
            at(0, "login", anonymous_id="a", external_id="crm-1", email=ANN),
            at(1, "purchase", event_id="p", anonymous_id="a"),
        ],
        {"p": known(em=[digest(ANN)], external_id=["crm-1"])},
    ),
    Story(
        "strangers-with-a-placeholder-for-a-user-id",
        [
            at(0, "login", anonymous_id="a", user_id="guest", email=ANN, click_ids={"ScCid": "anns"}),
            at(0.1, "consent_update", anonymous_id="a", user_id="guest", consent=DENIED),
            at(1, "purchase", event_id="stranger", anonymous_id="b", user_id="guest"),
            at(1.1, "purchase", event_id="from-the-server", user_id="Guest"),
            at(1.2, "purchase", event_id="same-device", anonymous_id="a", user_id="guest"),
        ],
        {
            "stranger": known(em=None, sc_click_id=None, external_id=None, linked=[]),
            "from-the-server": known(em=None, sc_click_id=None, external_id=None, linked=[]),
            "same-device": "consent_denied",
        },
    ),
    Story(
        "strangers-with-a-placeholder-for-an-anonymous-id",
        [
            at(0, "login", anonymous_id="0", user_id="ann", email=ANN, click_ids={"ScCid": "anns"}),
            at(0.1, "consent_update", anonymous_id="0", consent=DENIED),
            at(1, "purchase", event_id="stranger", anonymous_id="0"),
            at(1.1, "purchase", event_id="bobs", anonymous_id="0", user_id="bob"),
            at(1.2, "purchase", event_id="anns", user_id="ann"),
        ],
        {
            "stranger": known(em=None, sc_click_id=None, linked=[]),
            "bobs": known(em=None, sc_click_id=None, external_id=["bob"], linked=[]),
            "anns": known(em=[digest(ANN)], sc_click_id="anns"),
        },
    ),
    Story(
        "an-alias-of-a-placeholder-joins-nobody",
        [
            at(0, "page_view", anonymous_id="a", email=ANN),
            at(1, "alias", type="alias", previous_id="a", user_id="anonymous"),
            at(2, "alias", type="alias", previous_id="undefined", user_id="bob"),
            at(3, "purchase", event_id="p", user_id="bob"),
            at(4, "purchase", event_id="q", anonymous_id="a"),
        ],
        {"p": known(em=None, linked=[]), "q": known(em=[digest(ANN)], external_id=None)},
    ),
    Story(
        "an-id-that-more-than-fifty-devices-share-is-nobody-s",
        [
            *(at(n / 1000, "page_view", anonymous_id=f"d{n}", user_id="till") for n in range(51)),
            at(0.1, "login", anonymous_id="d1", user_id="till", email=ANN, click_ids={"ScCid": "anns"}),
            at(0.2, "consent_update", anonymous_id="d2", user_id="till", consent=DENIED),
            at(0.3, "alias", type="alias", previous_id="bob", user_id="till"),
            at(0.4, "login", anonymous_id="d3", user_id="bob", phone=BOBS_PHONE),
            at(1.0, "purchase", event_id="other-device", anonymous_id="d4", user_id="till"),
            at(1.1, "purchase", event_id="from-the-server", user_id="till"),
            at(1.2, "purchase", event_id="same-device", anonymous_id="d1", user_id="till"),
            at(1.3, "purchase", event_id="refused-there", anonymous_id="d2"),
            at(1.4, "purchase", event_id="bobs", user_id="bob"),
        ],
        {
            "other-device": known(em=None, sc_click_id=None, external_id=None, dropped=["user_id"], linked=[]),
            "from-the-server": known(em=None, sc_click_id=None, external_id=None, dropped=["user_id"], linked=[]),
            "same-device": known(em=[digest(ANN)], sc_click_id="anns", external_id=None),
            "refused-there": "consent_denied",
            "bobs": known(ph=[digest(BOBS_PHONE[1:])], em=None, external_id=["bob"]),
        },
    ),
    Story(
        "an-id-on-fifty-devices-is-somebody-s",
        [
            *(at(n / 1000, "page_view", anonymous_id=f"d{n}", user_id="ann") for n in range(49)),
            at(0.1, "login", anonymous_id="d49", user_id="ann", email=ANN),
            at(0.2, "login", event_id="without-a-device", user_id="ann"),
            at(1, "purchase", event_id="p", anonymous_id="d7"),
        ],
        {"p": known(em=[digest(ANN)], external_id=["ann"])},
    ),
]
