"""Strategies of events with known e-mail addresses and phone numbers, wherever a site may put them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from snap_pipeline_tests.properties.lines import WEB

ID_PLACES = (("user_id",), ("userId",), ("external_id",))
EMAIL_PLACES = (("email",), ("traits", "email"), ("context", "traits", "email"), ("properties", "email"), *ID_PLACES)
PHONE_PLACES = (("phone",), ("traits", "phone"), ("context", "traits", "phone"), ("properties", "phone"), *ID_PLACES)
EMAIL_NAMES = ("email", "E-Mail", "user_email", "customer[email]", "u", "q", "next", "login_id")
PHONE_NAMES = ("phone", "tel", "mobile", "phoneNumber", "customer[phone]", "whatsapp")


@dataclass(frozen=True)
class Event:
    """A line to land.

    Attributes:
        line: the event.
        emails: the person's e-mail addresses, anywhere in it.
        phones: the person's phone numbers, as digits.
    """

    line: dict[str, Any]
    emails: tuple[str, ...]
    phones: tuple[str, ...]


local_parts = st.from_regex(r"[A-Za-z0-9éüжق][A-Za-z0-9.!#$%&'*+/=?^_`{|}~éüжق-]{3,12}[A-Za-z0-9éж]", fullmatch=True)
domains = st.sampled_from(
    ("example.com", "Example.CO.UK", "mail.example.museum", "exämple.de", "пример.рф", "xn--e1afmkfd.xn--p1ai")
)
emails = st.builds(lambda local, domain: f"{local}@{domain}", local_parts, domains)
national = st.text("0123456789", min_size=8, max_size=9)
countries = st.sampled_from(("44", "1", "49", "358", "971", "91"))


@dataclass(frozen=True)
class Phone:
    """A phone number as written, and its digits."""

    written: str
    digits: str


@st.composite
def phones(draw: st.DrawFn, *, international: bool = False) -> Phone:
    """Generate numbers with a country code, or as they are dialled inside the country."""
    country, number = draw(countries), "7" + draw(national)
    split = draw(st.integers(2, 6))
    blank = draw(st.sampled_from(("", " ", "-", ".", "\u00a0")))
    parts = number[:split] + blank + number[split:]
    ways: list[Callable[[], str]] = [
        lambda: f"+{country}{blank}{parts}",
        lambda: f"+{country} (0) {parts}" if country != "1" else f"+1 ({number[:3]}) {number[3:]}",
        lambda: f"tel:+{country}{number}",
    ]
    if not international:
        ways += [lambda: f"00{country}{blank}{parts}", lambda: f"0{parts}", lambda: f"{country}{number}"]
    return Phone(draw(st.sampled_from(ways))(), number)


def _put(line: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for name in place[:-1]:
        line = line.setdefault(name, {})
    line[place[-1]] = value


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """Generate a URL query, with the e-mail addresses and phone numbers in it."""
    encode = draw(st.sampled_from((quote, quote_plus, lambda text: quote(text, safe=""), _twice)))
    pairs, found, numbers = ["id=7"], [], []
    for name in draw(st.lists(st.sampled_from(EMAIL_NAMES), max_size=2)):
        email = draw(emails)
        found.append(email)
        text = f"/account?u={email}" if name == "next" else email
        pairs.append(f"{quote(name, safe='[]')}={encode(text)}")
    for name in draw(st.lists(st.sampled_from((*PHONE_NAMES, "q", "next")), max_size=2)):
        phone = draw(phones(international=name == "q"))
        numbers.append(phone.digits)
        text = f"/account?a=1&phone={quote(phone.written)}" if name == "next" else phone.written
        pairs.append(f"{quote(name, safe='[]')}={encode(text)}")
    return draw(st.sampled_from(("&", ";"))).join(draw(st.permutations(pairs))), found, numbers


def _twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="")


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Generate an event that names its person in fields, in the user id and in the page URL."""
    line: dict[str, Any] = json.loads(json.dumps(WEB))
    del line["email"]
    query, found, numbers = draw(queries())
    line["page_url"] = f"https://shop.example/{draw(st.sampled_from(('thanks', 'a/b', '')))}?{query}"
    for place in draw(st.lists(st.sampled_from(EMAIL_PLACES), max_size=2, unique=True)):
        several = draw(st.lists(emails, min_size=1, max_size=2))
        found += several
        _put(line, place, several[0] if len(several) == 1 or "user" in place[-1].lower() else several)
    for place in draw(st.lists(st.sampled_from(PHONE_PLACES), max_size=2, unique=True)):
        phone = draw(phones(international=place in ID_PLACES))
        numbers.append(phone.digits)
        _put(line, place, phone.written)
        if place == ("phone",) and draw(st.booleans()):
            _put(line, ("user_id",), phone.written)
    return Event(line, tuple(found), tuple(numbers))
