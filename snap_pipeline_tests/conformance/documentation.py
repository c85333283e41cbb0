"""Examples from the documentation of client libraries and shops, landed verbatim."""

from snap_pipeline_tests.conformance.rows import NOON_MS, PIXEL, Row, sha

NAME_AND_TIME = {"event_time": NOON_MS, "action_source": "WEB"}
V2_BASE = {"pixel_id": PIXEL, "event_conversion_type": "WEB", "timestamp": str(NOON_MS)}

ROWS = [
    Row(
        "Segment spec, Order Completed",
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "019mr8mf4r",
            "timestamp": "2026-11-20T12:00:00.000Z",
            "context": {
                "ip": "8.8.8.8",
                "userAgent": "Mozilla/5.0 (Macintosh)",
                "page": {"url": "https://seg.example/"},
            },
            "properties": {
                "checkout_id": "fksdjfsdjfisjf9sdfjsd9f",
                "order_id": "50314b8e9bcf000000000000",
                "affiliation": "Google Store",
                "total": 27.50,
                "subtotal": 22.50,
                "revenue": 25.00,
                "shipping": 3,
                "tax": 2,
                "discount": 2.5,
                "coupon": "hasbros",
                "currency": "USD",
                "products": [
                    {
                        "product_id": "507f1f77bcf86cd799439011",
                        "sku": "45790-32",
                        "name": "Monopoly: 3rd Edition",
                        "price": 19,
                        "quantity": 1,
                        "category": "Games",
                    },
                    {
                        "product_id": "505bd76785ebb509fc183733",
                        "sku": "46493-32",
                        "name": "Uno Card Game",
                        "price": 3,
                        "quantity": 2,
                        "category": "Games",
                    },
                ],
            },
        },
        root=NAME_AND_TIME | {"event_name": "PURCHASE", "event_source_url": "https://seg.example/"},
        user={
            "external_id": ["019mr8mf4r"],
            "client_ip_address": "8.8.8.8",
            "client_user_agent": "Mozilla/5.0 (Macintosh)",
        },
        custom={
            "value": 25.0,
            "currency": "USD",
            "order_id": "50314b8e9bcf000000000000",
            "contents": [
                {"id": "507f1f77bcf86cd799439011", "quantity": "1", "item_price": "19.0"},
                {"id": "505bd76785ebb509fc183733", "quantity": "2", "item_price": "3.0"},
            ],
            "content_ids": ["507f1f77bcf86cd799439011", "505bd76785ebb509fc183733"],
            "content_category": "Games",
            "num_items": "3",
        },
        v2=V2_BASE
        | {
            "event_type": "PURCHASE",
            "hashed_ip_address": sha("8.8.8.8"),
            "user_agent": "Mozilla/5.0 (Macintosh)",
            "page_url": "https://seg.example/",
            "item_ids": "507f1f77bcf86cd799439011;505bd76785ebb509fc183733",
            "item_category": "Games",
            "number_items": "3",
            "price": "25.0",
            "currency": "USD",
            "transaction_id": "50314b8e9bcf000000000000",
        },
        whole=True,
    ),
    Row(
        "Segment spec, identifiers in context.traits",
        {
            "type": "track",
            "event": "Signed Up",
            "anonymousId": "23adfd82-aa0f-45a7-a756-24f2a7a4c895",
            "originalTimestamp": "2026-11-20T12:00:00.000Z",
            "context": {
                "traits": {
                    "email": "Peter@Initech.com",
                    "phone": "+1 555 123 4567",
                    "firstName": "Peter",
                    "lastName": "Gibbons",
                    "address": {"city": "Austin", "state": "TX", "postalCode": "78701", "country": "USA"},
                },
                "page": {"url": "https://initech.example/signup"},
            },
        },
        root=NAME_AND_TIME | {"event_name": "SIGN_UP", "event_source_url": "https://initech.example/signup"},
        user={
            "em": [sha("peter@initech.com")],
            "ph": [sha("15551234567")],
            "fn": sha("peter"),
            "ln": sha("gibbons"),
            "ct": sha("austin"),
            "st": sha("tx"),
            "zp": sha("78701"),
            "country": sha("us"),
        },
        v2=V2_BASE
        | {
            "event_type": "SIGN_UP",
            "hashed_email": sha("peter@initech.com"),
            "hashed_phone_number": sha("15551234567"),
            "hashed_first_name_sha": sha("peter"),
            "hashed_last_name_sha": sha("gibbons"),
            "hashed_city_sha": sha("austin"),
            "hashed_state_sha": sha("tx"),
            "hashed_zip": sha("78701"),
            "country": "US",
            "region": "TX",
            "page_url": "https://initech.example/signup",
        },
        whole=True,
    ),
    Row(
        "GA4, purchase",
        {
            "event_name": "purchase",
            "event_timestamp": NOON_MS * 1000,
            "email": "ga@example.com",
            "properties": {
                "transaction_id": "T_12345",
                "value": 72.05,
                "tax": 3.60,
                "shipping": 5.99,
                "currency": "USD",
                "coupon": "SUMMER_SALE",
                "items": [
                    {
                        "item_id": "SKU_12345",
                        "item_name": "Stan and Friends Tee",
                        "item_brand": "Google",
                        "item_category": "Apparel",
                        "price": 10.01,
                        "quantity": 3,
                    }
                ],
            },
        },
        root=NAME_AND_TIME | {"event_name": "PURCHASE"},
        user={"em": [sha("ga@example.com")]},
        custom={
            "value": 72.05,
            "currency": "USD",
            "order_id": "T_12345",
            "contents": [{"id": "SKU_12345", "quantity": "3", "item_price": "10.01", "brand": "Google"}],
            "content_ids": ["SKU_12345"],
            "content_category": "Apparel",
            "num_items": "3",
            "brands": ["Google"],
        },
        v2=V2_BASE
        | {
            "event_type": "PURCHASE",
            "hashed_email": sha("ga@example.com"),
            "item_ids": "SKU_12345",
            "item_category": "Apparel",
            "number_items": "3",
            "brands": ["Google"],
            "price": "72.05",
            "currency": "USD",
            "transaction_id": "T_12345",
        },
        whole=True,
    ),
]
