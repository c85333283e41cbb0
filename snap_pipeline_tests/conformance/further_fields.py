"""Fields that few events have: ids of subscriptions and leads, version 2's own fields, lists of names and places."""

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
]
