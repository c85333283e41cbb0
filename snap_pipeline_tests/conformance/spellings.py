"""Match fields in every place and under every name that clients give them (docs/events.md)."""

import json
from typing import Any

from snap_pipeline_tests.conformance.rows import EVENT, PAGE, Row, sha

PROPERTIES = EVENT["properties"]
USER = {
    "em": [sha("ann@example.com")],
    "ph": [sha("447700900123")],
    "fn": sha("ann"),
    "ln": sha("lee"),
    "ge": sha("f"),
    "ct": sha("leeds"),
    "st": sha("westyorkshire"),
    "zp": sha("ls11"),
    "country": sha("gb"),
}
V2 = {
    "hashed_email": USER["em"][0],
    "hashed_phone_number": USER["ph"][0],
    "hashed_first_name_sha": USER["fn"],
    "hashed_last_name_sha": USER["ln"],
    "hashed_city_sha": USER["ct"],
    "hashed_state_sha": USER["st"],
    "hashed_zip": USER["zp"],
    "country": "GB",
}
CAMEL = {
    "email": "Ann@Example.com", "phone": "+44 7700 900123", "firstName": "Ann", "lastName": "Lee", "gender": "female",
    "city": "Leeds", "state": "West Yorkshire", "postalCode": "LS1 1AA", "country": "GB",
}  # fmt: skip
SNAKE = {
    "email": "Ann@Example.com", "phone": "+44 7700 900123", "first_name": "Ann", "last_name": "Lee", "gender": "female",
    "city": "Leeds", "state": "West Yorkshire", "postal_code": "LS1 1AA", "country": "GB",
}  # fmt: skip
OTHER = {
    "email_address": "Ann@Example.com", "phoneNumber": "+44 7700 900123", "given_name": "Ann", "familyName": "Lee",
    "sex": "female", "town": "Leeds", "region": "West Yorkshire", "zipcode": "LS1 1AA", "countryCode": "GB",
}  # fmt: skip
SNAP_V3 = {name: value for name, value in USER.items() if name != "country"} | {"country": "GB"}
SNAP_V2 = V2 | {"gender": "female"}
GA4 = {
    "email_address": "Ann@Example.com",
    "phone_number": "+44 7700 900123",
    "address": [
        {
            "first_name": "Ann", "last_name": "Lee", "city": "Leeds", "region": "West Yorkshire",
            "postal_code": "LS1 1AA", "country": "GB",
        }
    ],
}  # fmt: skip
PLACE = ("city", "state", "region", "town", "postalCode", "postal_code", "zipcode", "country", "countryCode")


def nested(person: dict[str, Any]) -> dict[str, Any]:
    """Return the person with the parts of the address in an object of their own."""
    own = {name: value for name, value in person.items() if name not in PLACE}
    return own | {"address": {name: value for name, value in person.items() if name in PLACE}}


def person(title: str, event: dict[str, Any]) -> Row:
    """Return a row whose event tells all of the person."""
    return Row(title, event, user=USER, v2=V2)


def in_place(place: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the change of an event that puts an object into a place."""
    if place == "properties":
        return {"properties": PROPERTIES | given}
    if place == "properties as text":
        return {"properties": json.dumps(PROPERTIES | given)}
    if place == "context.traits":
        return {"context": {"traits": given}}
    if place == "an integration":
        return {"integrations": {"All": True, "Snap Conversions API": given}}
    return {"traits": given} if place == "traits" else given


PLACES = ("the event itself", "properties", "properties as text", "traits", "context.traits")
NAMES = {"camelCase": CAMEL, "snake_case": SNAKE, "other names": OTHER}


def click(title: str, expected: str | None, event: dict[str, Any], page: str = PAGE) -> Row:
    """Return a row with an expected click id."""
    return Row(
        title,
        event,
        root={"event_source_url": page},
        user={"sc_click_id": expected} if expected else {},
        v2=({"click_id": expected} if expected else {}) | {"page_url": page},
    )


def glued(rest: str) -> Row:
    """Return a row with a click id that a broken link glued something to."""
    url = f"{PAGE}?ScCid=abc-123{rest}"
    return click(f"a click id ends before {rest}", "abc-123", {"page_url": url}, url)


def meaningless(word: str) -> Row:
    """Return a row with a word that is no click id, which does not hide the one in the page's query."""
    url = f"{PAGE}?ScCid=abc-123"
    return click(f"{word} is no click id", "abc-123", {"page_url": url, "ScCid": word, "sc_click_id": word}, url)


ROWS = [
    *(
        person(f"a person in {place}, {names}", in_place(place, given))
        for place in PLACES
        for names, given in NAMES.items()
    ),
    *(
        person(f"a person in {place}, {names}, the address nested", in_place(place, nested(given)))
        for place in PLACES
        for names, given in NAMES.items()
    ),
    person("Snap's names of v3 as columns", SNAP_V3),
    person("Snap's names of v3 in properties", in_place("properties", SNAP_V3)),
    person("Snap's names of v3 in user_data", {"user_data": SNAP_V3}),
    person("Snap's names of v2 as columns", SNAP_V2),
    person("Snap's names of v2 in an integration's object", in_place("an integration", SNAP_V2)),
    person("GA4's user_data in properties", in_place("properties", {"user_data": GA4, "gender": "female"})),
    person("GA4's user_data in the event", {"user_data": GA4, "gender": "female"}),
    Row(
        "the event's own word before its context, an empty one not",
        {"email": "", "properties": PROPERTIES | {"email": "own@example.com"},
         "traits": {"email": "traits@example.com"}, "context": {"traits": {"email": "context@example.com"}}},
        user={"em": [sha("own@example.com")]},
        v2={"hashed_email": sha("own@example.com")},
    ),
    *(
        Row(
            f"traits of the context with another e-mail address are another person's, {names}",
            own | {"context": {"traits": {"email": "bob@example.com", "phone": "+44 7700 900999", "lastName": "Roe"}}},
            user={"em": [sha("ann@example.com")], "fn": sha("ann")},
            v2={"hashed_email": sha("ann@example.com"), "hashed_first_name_sha": sha("ann")},
        )
        for names, own in {
            "usual names": {"email": "ann@example.com", "first_name": "Ann"},
            "other names": {"email_address": "ann@example.com", "givenName": "Ann"},
        }.items()
    ),
    Row(
        "traits of the context with the same e-mail address are the person's",
        {"email": "ann@example.com", "context": {"traits": {"email": "Ann@Example.com", "lastName": "Lee"}}},
        user={"em": [sha("ann@example.com")], "ln": sha("lee")},
        v2={"hashed_email": sha("ann@example.com"), "hashed_last_name_sha": sha("lee")},
    ),
    Row("a state beside an e-mail address alone is an order's",
        in_place("properties", {"state": "completed", "email": "ann@example.com"}),
        user={"em": [sha("ann@example.com")]}, v2={"hashed_email": sha("ann@example.com")}),
    Row(
        "a plain e-mail before its digest",
        {"hashed_email": sha("other@example.com"), "email_address": "ann@example.com"},
        user={"em": [sha("ann@example.com")]},
        v2={"hashed_email": sha("ann@example.com")},
    ),
    Row("gender and state alone in properties are a product's and an order's",
        in_place("properties", {"gender": "female", "state": "paid"})),
    Row(
        "the places of a trip are no address",
        in_place("properties", {"city": "Rome", "country": "IT", "hotel_score": "5", "email": "ann@example.com"}),
        user={"em": [sha("ann@example.com")]},
        custom={"city": "Rome", "country": "IT", "hotel_score": "5"},
        v2={"hashed_email": sha("ann@example.com")},
    ),
    Row("Snap's cookie under v2's name", in_place("properties", {"uuid_c1": "k-1"}),
        user={"sc_cookie1": "k-1"}, v2={"uuid_c1": "k-1"}),
    Row("Snap's cookie under its own name", {"_scid": "k-1"}, user={"sc_cookie1": "k-1"}, v2={"uuid_c1": "k-1"}),
    Row("the cookie and click id of Segment's integration",
        in_place("an integration", {"uuid_c1": "k-1", "click_id": "c-1"}),
        user={"sc_cookie1": "k-1", "sc_click_id": "c-1"}, v2={"uuid_c1": "k-1", "click_id": "c-1"}),
    Row("subscription and lead id", in_place("properties", {"subscription_id": "sub-1", "leadId": "lead-1"}),
        user={"subscription_id": "sub-1", "lead_id": "lead-1"}),
    # The click id: its places, and what is none.
    click("a click id under Snap's names", "c-1", {"sc_click_id": "c-1"}),
    click("a click id under v2's name in properties", "c-1", in_place("properties", {"click_id": "c-1"})),
    click("a click id in context.page.search", "c-1", {"context": {"page": {"search": "?ScCid=c-1"}}}),
    click("a click id in properties.url", "c-1", in_place("properties", {"url": f"{PAGE}?ScCid=c-1"})),
    click("a click id in the referrer", "c-1", {"context": {"page": {"referrer": "https://shop.example.com/?sclid=c-1"}}}),
    click("a click id in page_location", "c-1",
          {"page_url": None, "page_location": f"{PAGE}?ScCid=c-1"}, f"{PAGE}?ScCid=c-1"),
    *(
        glued(rest)
        for rest in ("?utm_source=x", "%26utm_source%3Dx", "&amp;utm_source=x", "%3Futm_source=x", ";x=1", "&x=1")
    ),
    *(
        meaningless(word)
        for word in (
            "null", "undefined", "[object Object]", "{{ScCid}}", "${ScCid}", "%%ScCid%%", "{ScCid}", "[ScCid]",
            "<ScCid>", "__ScCid__", "true", " ", "None",
        )
    ),
    click("a word that means nothing in the URL is no click id", None,
          {"page_url": f"{PAGE}?ScCid=[object%20Object]&x=1"}, f"{PAGE}?ScCid=[object%20Object]&x=1"),
    # The page.
    Row("the page in properties.url", {"page_url": None, "properties": PROPERTIES | {"url": f"{PAGE}?a=1"}},
        root={"event_source_url": f"{PAGE}?a=1"}, v2={"page_url": f"{PAGE}?a=1"}),
    Row("the page in GA4's page_location",
        {"page_url": None, "properties": PROPERTIES | {"page_location": f"{PAGE}?a=1"}},
        root={"event_source_url": f"{PAGE}?a=1"}, v2={"page_url": f"{PAGE}?a=1"}),
    Row("the visited page, and not that of the product", {"page_url": None, "context": {"page": {"url": PAGE}},
        "properties": PROPERTIES | {"url": "https://shop.example.com/product"}}),
    *(Row(f"the mark of a template {mark} is no name", {"first_name": mark}, dropped=("first_name",))
      for mark in ("${first_name}", "%%FIRST_NAME%%", "<%= name %>", "*|FNAME|*")),
    Row("a list without a value does not hide another place",
        {"email": ["", None], "properties": PROPERTIES | {"email": "Ann@Example.com"}},
        user={"em": USER["em"]}, v2={"hashed_email": USER["em"][0]}),
    Row("a click id in context.page.search without a question mark",
        {"context": {"page": {"search": "ScCid=click-1"}}},
        user={"sc_click_id": "click-1"}, v2={"click_id": "click-1"}),
]  # fmt: skip
