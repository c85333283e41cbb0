"""Products: contents, content_ids, num_items, brands, category (snap-api.md, section 3.5)."""

import json
from typing import Any

from snap_pipeline_tests.conformance.rows import Row, sha

TWO = [
    {"product_id": "sku-1", "price": 19.99, "quantity": 2, "brand": "Hasbro", "category": "Games"},
    {"product_id": "sku-2", "price": "5", "quantity": "1", "brand": "Lego", "category": "Toys"},
]
TWO_V3 = {
    "contents": [
        {"id": "sku-1", "quantity": "2", "item_price": "19.99", "brand": "Hasbro"},
        {"id": "sku-2", "quantity": "1", "item_price": "5.0", "brand": "Lego"},
    ],
    "content_ids": ["sku-1", "sku-2"],
    "content_category": "Games;Toys",
    "num_items": "3",
    "brands": ["Hasbro", "Lego"],
}
TWO_V2 = {"item_ids": "sku-1;sku-2", "item_category": "Games;Toys", "number_items": "3", "brands": ["Hasbro", "Lego"]}


def shop(title: str, properties: dict[str, Any], custom: dict[str, Any], v2: dict[str, Any], **options: Any) -> Row:
    """Return a purchase with products."""
    base = {"value": 12.5, "currency": "EUR", "order_id": "o-1"}
    return Row(title, {"properties": base | properties}, custom=custom, v2=v2, **options)


ROWS = [
    shop("products as a list", {"products": TWO}, TWO_V3, TWO_V2),
    shop("products as JSON text", {"products": json.dumps(TWO)}, TWO_V3, TWO_V2),
    shop("items (GA4)",
         {"items": [{"item_id": "SKU_12345", "item_name": "Tee", "item_brand": "Google", "item_category": "Apparel",
                     "price": 10.01, "quantity": 3}]},
         {"contents": [{"id": "SKU_12345", "quantity": "3", "item_price": "10.01", "brand": "Google"}],
          "content_ids": ["SKU_12345"], "content_category": "Apparel", "num_items": "3", "brands": ["Google"]},
         {"item_ids": "SKU_12345", "item_category": "Apparel", "number_items": "3", "brands": ["Google"]}),
    shop("line_items (Shopify)",
         {"line_items": [{"sku": "IPOD2008GREEN", "price": "199.00", "quantity": 1, "vendor": "Apple"}]},
         {"contents": [{"id": "IPOD2008GREEN", "quantity": "1", "item_price": "199.0", "brand": "Apple"}],
          "content_ids": ["IPOD2008GREEN"], "num_items": "1", "brands": ["Apple"]},
         {"item_ids": "IPOD2008GREEN", "number_items": "1", "brands": ["Apple"]}),
    shop("a single product's own keys",
         {"product_id": "sku-9", "price": "9,50", "quantity": 4, "brand": "Acme", "category": "Tools",
          "name": "Hammer"},
         {"contents": [{"id": "sku-9", "quantity": "4", "item_price": "9.5", "brand": "Acme"}],
          "content_ids": ["sku-9"], "content_category": "Tools", "content_name": "Hammer", "num_items": "4",
          "brands": ["Acme"]},
         {"item_ids": "sku-9", "item_category": "Tools", "number_items": "4", "brands": ["Acme"],
          "description": "Hammer"}),
    Row("price times quantity over the products, where no amount is given",
        {"properties": {"currency": "EUR", "order_id": "o-1", "products": TWO}},
        custom=TWO_V3 | {"value": 44.98}, v2=TWO_V2 | {"price": "44.98"}),
    shop("a product without a quantity is one",
         {"products": [{"product_id": "a"}, {"product_id": "b", "quantity": 2}]},
         {"contents": [{"id": "a"}, {"id": "b", "quantity": "2"}], "content_ids": ["a", "b"], "num_items": "3"},
         {"item_ids": "a;b", "number_items": "3"}),
    shop("a product without an id is counted and not named",
         {"products": [{"product_id": "a", "quantity": 1}, {"quantity": 1}]},
         {"contents": [{"id": "a", "quantity": "1"}], "content_ids": ["a"], "num_items": "2"},
         {"item_ids": "a", "number_items": "2"}),
    shop("the same product twice is named once in content_ids",
         {"products": [{"product_id": "a", "quantity": 1}, {"product_id": "a", "quantity": 2}]},
         {"contents": [{"id": "a", "quantity": "1"}, {"id": "a", "quantity": "2"}], "content_ids": ["a"],
          "num_items": "3"},
         {"item_ids": "a", "number_items": "3"}),
    shop("an empty list of products is none", {"products": []}, {}, {}),
    shop("products that are no list are none", {"products": "three"}, {}, {}),
    shop("words for nothing in a product",
         {"products": [{"product_id": "a", "brand": "null", "category": "", "price": "n/a", "quantity": "NaN"}]},
         {"contents": [{"id": "a"}], "content_ids": ["a"], "num_items": "1"}, {"item_ids": "a", "number_items": "1"}),
    shop("delivery_category of the three that Snap knows",
         {"products": [{"product_id": "a", "quantity": 1, "delivery_category": "Curbside"},
                       {"product_id": "b", "quantity": 1, "delivery_category": "drone"}]},
         {"contents": [{"id": "a", "quantity": "1", "delivery_category": "curbside"}, {"id": "b", "quantity": "1"}],
          "content_ids": ["a", "b"], "num_items": "2"},
         {"item_ids": "a;b", "number_items": "2"}),
    shop("num_items as given", {"num_items": "5"}, {"num_items": "5"}, {"number_items": "5"}),
    shop("content_ids, content_name, content_category and content_type as given",
         {"content_ids": ["x", "y"], "content_name": "Box", "content_category": "Toys", "content_type": "PRODUCT"},
         {"content_ids": ["x", "y"], "content_name": "Box", "content_category": "Toys", "content_type": "product",
          "num_items": "2"},
         {"item_ids": "x;y", "description": "Box", "item_category": "Toys", "number_items": "2"}),
    shop("a content_type that Snap does not know is left out", {"content_type": "article"}, {}, {}),
    Row("item_ids of an uploaded CSV, ; between",
        {"origin": "csv", "item_ids": "a;b; c", "value": "20", "currency": "EUR", "order_id": "o-5",
         "email": "a@example.com", "page_url": None, "properties": None},
        root={"action_source": "OFFLINE", "event_source_url": None},
        user={"em": [sha("a@example.com")]}, custom={"value": 20.0, "order_id": "o-5", "content_ids": ["a", "b", "c"],
                                        "num_items": "3"},
        v2={"event_conversion_type": "OFFLINE", "page_url": None, "hashed_email": sha("a@example.com"), "price": "20.0",
            "transaction_id": "o-5", "item_ids": "a;b;c", "number_items": "3"}),
]  # fmt: skip
