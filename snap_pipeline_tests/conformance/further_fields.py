"""Ids of subscriptions and leads, version 2's own fields, lists of names and places, ids as a workspace wants them."""

from snap_pipeline_tests.conformance.channels import app
from snap_pipeline_tests.conformance.rows import Row, sha

ORDER = {"value": 12.5, "currency": "EUR", "order_id": "o-1"}
EMAIL = sha("person@example.com")

ROWS = [
    # Ids that Snap takes in plain text (snap-api.md, section 3.4)
    Row(
        "ids: subscription and lead, among the properties",
        {"properties": {**ORDER, "subscription_id": "sub-1", "leadId": 77}},
        user={"subscription_id": "sub-1", "lead_id": "77"},
    ),
    Row(
        "ids: subscription and lead, as columns",
        {"subscription_id": "sub-1", "lead_id": "lead-1"},
        user={"subscription_id": "sub-1", "lead_id": "lead-1"},
    ),
    Row("ids: an anonymous id of an app says nothing on a page", {"anon_id": "anon-1"}),
    Row(
        "ids: an address in one of them is not sent",
        {"subscription_id": "person@example.com", "lead_id": "lead person@example.com"},
        user={"lead_id": "lead "},
    ),
    # Version 2's own fields (snap-api.md, section 2.2)
    Row(
        "v2: level and description",
        {"properties": {**ORDER, "level": 12, "description": "Tower of Doom"}},
        v2={"level": "12", "description": "Tower of Doom"},
    ),
    Row(
        "v2: the description before the content's name",
        {"properties": {**ORDER, "content_name": "Hammer", "description": "A fine hammer"}},
        custom={"content_name": "Hammer"},
        v2={"description": "A fine hammer"},
    ),
    Row(
        "v2: texts are sent without plaintext",
        {"properties": {**ORDER, "level": "null", "description": "ask person@example.com"}},
        v2={"description": "ask "},
    ),
    Row(
        "v2: country and region go out as codes",
        {"country": "Germany", "state": "DE-by"},
        user={"country": sha("de"), "st": sha("by")},
        v2={"country": "DE", "region": "BY", "hashed_state_sha": sha("by")},
    ),
    Row(
        "v2: a region's name is sent hashed alone",
        {"country": "AU", "state": "New South Wales"},
        user={"country": sha("au"), "st": sha("newsouthwales")},
        v2={"country": "AU", "hashed_state_sha": sha("newsouthwales")},
    ),
    Row(
        "v2: of digests, no code is known",
        {"country": sha("de"), "state": sha("by")},
        user={"country": sha("de"), "st": sha("by")},
        v2={"hashed_state_sha": sha("by")},
    ),
    app(
        "ids: the anonymous id of an app, of several the first",
        {},
        1,
        {"anon_id": "anon-1"},
        {},
        anon_id=["anon-1", "anon-2"],
    ),
    # A name or a place in a list: the first value that is filled
    Row(
        "lists: names and places, under the usual keys",
        {
            "first_name": ["", None, "Ann", "Anna"],
            "last_name": ["Berg"],
            "gender": ["f"],
            "city": ["Köln", "Bonn"],
            "state": ["BY"],
            "zip": [50667, 53111],
            "country": ["de", "at"],
        },
        user={
            "fn": sha("ann"),
            "ln": sha("berg"),
            "ge": sha("f"),
            "ct": sha("köln"),
            "st": sha("by"),
            "zp": sha("50667"),
            "country": sha("de"),
        },
        v2={
            "hashed_first_name_sha": sha("ann"),
            "hashed_last_name_sha": sha("berg"),
            "hashed_city_sha": sha("köln"),
            "hashed_state_sha": sha("by"),
            "hashed_zip": sha("50667"),
            "country": "DE",
            "region": "BY",
        },
    ),
    Row(
        "lists: in traits, and as JSON text",
        {"context": {"traits": {"firstName": '["Ann", "Anna"]', "address": {"city": [" ", "Bonn"]}}}},
        user={"fn": sha("ann"), "ct": sha("bonn")},
        v2={"hashed_first_name_sha": sha("ann"), "hashed_city_sha": sha("bonn")},
    ),
    Row(
        "lists: under other names, and among the properties",
        {"given_name": ["Ann"], "properties": {**ORDER, "email": "person@example.com", "postalCode": ["50667"]}},
        user={"fn": sha("ann"), "em": [EMAIL], "zp": sha("50667")},
        v2={"hashed_first_name_sha": sha("ann"), "hashed_email": EMAIL, "hashed_zip": sha("50667")},
    ),
    Row(
        "lists: of several addresses, the first",
        {"traits": {"address": [{"city": "Bonn", "country": "DE"}, {"city": "Wien", "country": "AT"}]}},
        user={"ct": sha("bonn"), "country": sha("de")},
        v2={"hashed_city_sha": sha("bonn"), "country": "DE"},
    ),
    Row(
        "lists: GA4's addresses",
        {"user_data": {"address": [{"first_name": ["Ann"], "city": "Bonn"}, {"first_name": "Bea", "city": "Wien"}]}},
        user={"fn": sha("ann"), "ct": sha("bonn")},
        v2={"hashed_first_name_sha": sha("ann"), "hashed_city_sha": sha("bonn")},
    ),
    Row(
        "lists: an address as JSON text",
        {"address": '{"city": "Bonn", "postal_code": "53111"}'},
        user={"ct": sha("bonn"), "zp": sha("53111")},
        v2={"hashed_city_sha": sha("bonn"), "hashed_zip": sha("53111")},
    ),
    Row(
        "lists: empty ones are no values", {"first_name": [], "city": "[]", "traits": {"lastName": {}, "gender": "{ }"}}
    ),
    Row(
        "lists: objects, and marks of a template, are no names and are counted",
        {
            "first_name": {"value": "Ann"},
            "last_name": "{{customer.last_name}}",
            "city": [{"name": "Bonn"}],
            "zip": {"code": 50667},
            "gender": {"m": False},
            "state": [["BY"]],
            "country": {"iso": "de"},
        },
        dropped=("first_name", "last_name", "city", "zip", "gender", "state", "country"),
    ),
    Row(
        "lists: headers of a request, as gateways pass them",
        {"ip_address": ["198.51.100.9"], "user_agent": ["Mozilla/5.0 (Macintosh)"], "sc_cookie1": ["AbC-123"]},
        user={
            "client_ip_address": "198.51.100.9",
            "client_user_agent": "Mozilla/5.0 (Macintosh)",
            "sc_cookie1": "AbC-123",
        },
        v2={"hashed_ip_address": sha("198.51.100.9"), "user_agent": "Mozilla/5.0 (Macintosh)", "uuid_c1": "AbC-123"},
    ),
    Row(
        "names: a name that begins with a bracket",
        {"first_name": "[Ann]"},
        user={"fn": sha("ann")},
        v2={"hashed_first_name_sha": sha("[ann]")},
    ),
    # Workspaces that want digests of their customers' ids (snap-api.md, section 3.4)
    Row(
        "external id: hashed where the workspace wants it, trimmed and in lower case",
        {"external_id": [" Cust-42 ", "cust-42", "x-9"]},
        user={"external_id": [sha("cust-42"), sha("x-9")]},
        workspace="hashing",
    ),
    Row(
        "external id: the user id in its place, hashed",
        {"user_id": "U-7"},
        user={"external_id": [sha("u-7")]},
        workspace="hashing",
    ),
    Row(
        "external id: a given digest stays one",
        {"external_id": sha("cust-42").upper()},
        user={"external_id": [sha("cust-42")]},
        workspace="hashing",
    ),
    Row(
        "external id: an e-mail address is hashed once",
        {"external_id": "Person@Example.com"},
        user={"external_id": [EMAIL]},
        workspace="hashing",
    ),
    # A workspace that names the property with the event's id. Snap gets that id from its pixel too.
    # A workspace that names the property with the event's id, which Snap gets from its pixel too
    Row(
        "event id: under the name that the workspace gives it",
        {"event_id": "e-1", "client_dedup_id": "c-1"},
        id_key="snap_event_id",
        workspace="naming",
    ),
    Row("event id: without that name, the usual one", {"snap_event_id": ""}, workspace="naming"),
]
