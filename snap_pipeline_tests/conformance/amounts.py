"""Amounts of every spelling, sums over lines, currencies by sign, and orders that are not completed."""

import json
from typing import Any

from snap_pipeline_tests.conformance.rows import Row

NO_VALUE = {"v3": "purchase_without_value", "v2": "purchase_without_value"}


def order(
    title: str,
    properties: dict[str, Any],
    value: float | None,
    custom: dict[str, Any] | None = None,
    v2: dict[str, Any] | None = None,
    *,
    currency: str | None = "EUR",
    **options: Any,
) -> Row:
    """Return a purchase without other properties; one without value or currency is not sent."""
    sent = None if value is None else currency
    return Row(
        title,
        {"properties": {"order_id": "o-1"} | properties},
        custom={"value": value, "currency": sent} | (custom or {}),
        v2={"price": None if value is None else str(value), "currency": sent} | (v2 or {}),
        undeliverable={} if value is not None and sent else NO_VALUE,
        **options,
    )


def spelled(text: object, value: float | None, currency: str = "EUR") -> Row:
    """Return a purchase whose amount is spelled in a way of its own."""
    dropped = () if value is not None else ("value",)
    return order(f"{text!r} in {currency}", {"value": text, "currency": currency}, value, currency=currency,
                 dropped=dropped)  # fmt: skip


def named(given: str, currency: str | None, workspace: str = "default") -> Row:
    """Return a purchase whose currency is given by a sign, a word or an old code."""
    return order(f"the currency {given!r} in {workspace}", {"value": 5, "currency": given}, 5.0, currency=currency,
                 workspace=workspace, dropped=() if currency else ("currency",))  # fmt: skip


def lines(title: str, products: object, value: float | None, contents: list[dict[str, str]] | None = None,
          count: int | None = None, **properties: Any) -> Row:  # fmt: skip
    """Return a purchase whose value is the sum of its lines."""
    contents = contents or []
    ids = [content["id"] for content in contents]
    items = None if count is None else str(count)
    return order(title, {"currency": "EUR", "products": products} | properties, value,
                 {"contents": contents or None, "content_ids": ids or None, "num_items": items},
                 {"item_ids": ";".join(ids) or None, "number_items": items},
                 dropped=() if value is not None else ("value",))  # fmt: skip


def state(title: str, properties: dict[str, Any], *, excluded: bool = True, **columns: Any) -> Row:
    """Return a purchase whose properties or columns say what became of the order."""
    kept = {key: properties[key] for key in ("status",) if key in properties}
    return Row(title, {"properties": {"value": 12.5, "currency": "EUR", "order_id": "o-1"} | properties} | columns,
               custom={} if excluded else kept, excluded="order_not_completed" if excluded else None)  # fmt: skip


TWO = [{"product_id": "a", "price": "0.10", "quantity": 1}, {"product_id": "b", "price": "0.20", "quantity": 1}]
TWO_SENT = [{"id": "a", "quantity": "1", "item_price": "0.1"}, {"id": "b", "quantity": "1", "item_price": "0.2"}]
BASKET = {"contents": [{"id": "sku-1", "quantity": "2", "item_price": "19.99", "brand": "Hasbro"}],
          "content_ids": ["sku-1"], "num_items": "2", "brands": ["Hasbro"]}  # fmt: skip
BASKET_V2 = {"item_ids": "sku-1", "number_items": "2", "brands": ["Hasbro"]}
ITEM = {"item_id": "sku-1", "price": 19.99, "quantity": 2, "item_brand": "Hasbro"}
PRODUCT = {"id": "sku-1", "price": "19.99", "quantity": "2", "brand": "Hasbro"}
ORDER = {"value": 12.5, "currency": "EUR"}

ROWS: list[Row] = [
    # Signs, words and digits of all scripts
    spelled("€12,50", 12.5), spelled("12,50\u00a0€", 12.5), spelled("1\u202f299,00 €", 1299.0),
    spelled("1\u2009299,00 €", 1299.0), spelled("&euro;12,50", 12.5), spelled("12,50&nbsp;&#8364;", 12.5),
    spelled('<span class="amount"><bdi>12,50&nbsp;<b>&euro;</b></bdi></span>', 12.5),
    spelled("１２，５０", 12.5), spelled("١٬٢٩٩٫٥٠ د.إ.\u200f", 1299.5, "AED"), spelled("۱۲٫۵", 12.5),
    spelled("12,50 zł", 12.5, "PLN"), spelled("1 299,50 грн", 1299.5, "UAH"), spelled("12,50 руб.", 12.5, "RUB"),
    spelled("￥1,200", 1200.0, "JPY"), spelled("1,200円", 1200.0, "JPY"), spelled("₹1,29,900.00", 129900.0, "INR"),
    spelled("Rs. 1,299/-", 1299.0, "INR"), spelled("kr 199,-", 199.0, "NOK"), spelled("199:-", 199.0, "SEK"),
    spelled("CHF 1’299.–", 1299.0, "CHF"), spelled("R$ 1.299,00", 1299.0, "BRL"), spelled("US$12.50", 12.5, "USD"),
    spelled("CA$ 12.50", 12.5, "CAD"), spelled("12.50 Euro", 12.5), spelled(".5", 0.5),
    spelled("\u200f12.50 ₪", 12.5, "ILS"),
    # A point or comma before three digits
    spelled("1.299", 1299.0), spelled("1,299", 1299.0), spelled(1.299, 1.299), spelled("0.500", 0.5),
    spelled("1299.000", 1299.0), spelled("1.2999", 1.2999),
    spelled("1.299", 1299.0, "JPY"), spelled("12.000 ₫", 12000.0, "VND"), spelled("1,299", 1299.0, "KRW"),
    spelled(1.299, 1.299, "KWD"), spelled("1.299", 1.299, "KWD"), spelled("1,299", 1.299, "TND"),
    spelled("1,299.500", 1299.5, "BHD"), spelled("1.299,500", 1299.5, "OMR"), spelled("1,234,567", 1234567.0, "IDR"),
    spelled("1.234.567,89", 1234567.89),
    # No amounts
    spelled("-5", None), spelled("5-", None), spelled("−5 €", None), spelled("(5,00 €)", None), spelled("$-5", None),
    spelled("&minus;5", None), spelled("12k", None), spelled("5 Mio. €", None), spelled("3万円", None, "JPY"),
    spelled("50 cent", None), spelled("50¢", None, "USD"), spelled("5 %", None), spelled("12-15 €", None),
    spelled("3 pcs", None), spelled(True, None), spelled("1e400", None),
    # Numbers without the noise of binary fractions
    spelled(0.30000000000000004, 0.3), spelled("59.97000000000001", 59.97),
    # Currencies
    named("€", "EUR"), named("£", "GBP"), named("&", None), named("RMB", "CNY"), named("rmb", "CNY"),
    named("US$", "USD"),
    named("R$", "BRL"), named("NIS", "ILS"), named("zł", "PLN"), named("د.إ.", "AED"), named("₹", "INR"),
    named("$", None), named("kr", None), named("XYZ", None), named("XYZ", None, "britain"), named("$", None, "britain"),
    order("$ is the workspace's dollar", {"value": 5, "currency": "$"}, 5.0, currency="CAD", workspace="canada"),
    order("currencyCode", {"value": 5, "currencyCode": "PLN"}, 5.0, currency="PLN"),
    order("the sign of an amount names its currency", {"value": "€ 12.50"}, 12.5, currency="EUR", workspace="britain"),
    order("an unknown word beside an amount is no currency, and not the default", {"value": "12.50 abc"}, 12.5,
          currency=None, workspace="britain", dropped=("currency",)),
    order("a code beside an amount decides its point", {"value": "1.299 KWD"}, 1.299, currency="KWD"),
    order("predicted_ltv", {"value": 1, "currency": "EUR", "predicted_ltv": "1.299,50 €"}, 1.0,
          {"predicted_ltv": 1299.5}),
    order("a predicted_ltv that is no amount is counted", {"value": 1, "currency": "EUR", "predicted_ltv": "high"}, 1.0,
          dropped=("predicted_ltv",)),
    Row("value, price, number_items, item_category, brands, transaction_id as columns, in Snap's own names",
        {"price": "1.299,50", "currency": "€", "transaction_id": "t-1", "item_ids": "a,b", "number_items": "3",
         "item_category": "Toys", "brands": ["Hasbro", "Lego"], "properties": None},
        custom={"value": 1299.5, "order_id": "t-1", "content_ids": ["a", "b"], "num_items": "3",
                "content_category": "Toys", "brands": ["Hasbro", "Lego"]},
        v2={"price": "1299.5", "transaction_id": "t-1", "item_ids": "a;b", "number_items": "3", "item_category": "Toys",
            "brands": ["Hasbro", "Lego"]}),
    order("Snap's own names in properties",
          {"price": "19.50", "currency": "EUR", "number_items": "3", "item_category": "Toys", "item_ids": "a;b",
           "brands": "Hasbro;Lego"}, 19.5,
          {"content_ids": ["a", "b"], "num_items": "3", "content_category": "Toys", "brands": ["Hasbro", "Lego"]},
          {"item_ids": "a;b", "number_items": "3", "item_category": "Toys", "brands": ["Hasbro", "Lego"]}),
    Row("a value in a column, with a sign", {"value": "€ 1.299", "currency": None, "properties": {"order_id": "o-1"}},
        custom={"value": 1299.0}, v2={"price": "1299.0"}),
    # Sums
    lines("a line of millions, as in rupiah or dong", [{"product_id": "a", "price": 12_500_000, "quantity": 2}],
          25000000.0, [{"id": "a", "quantity": "2", "item_price": "12500000.0"}], 2),
    order("a price of millions times a quantity", {"currency": "EUR", "price": "12500000", "quantity": 2}, 25000000.0,
          {"num_items": "2"}, {"number_items": "2"}),
    lines("sums are exact", TWO, 0.3, TWO_SENT, 2),
    order("a line whose price cannot be read leaves no sum",
          {"currency": "EUR", "products": [{"product_id": "a", "price": 1}, {"product_id": "b", "price": "ask us"}]},
          None,
          {"contents": [{"id": "a", "item_price": "1.0"}, {"id": "b"}], "content_ids": ["a", "b"], "num_items": "2"},
          {"item_ids": "a;b", "number_items": "2"}, dropped=("value", "item_price")),
    lines("a line without a price leaves no sum", [{"product_id": "a", "price": 1}, {"product_id": "b"}], None,
          [{"id": "a", "item_price": "1.0"}, {"id": "b"}], 2),
    order("a line whose quantity cannot be read leaves no sum",
          {"currency": "EUR", "products": [{"product_id": "a", "price": 1, "quantity": "some"}]}, None,
          {"contents": [{"id": "a", "item_price": "1.0"}], "content_ids": ["a"], "num_items": "1"},
          {"item_ids": "a", "number_items": "1"}, dropped=("value", "quantity")),
    lines("prices of lines in any spelling", [{"product_id": "a", "price": "€1.299,00", "quantity": "1,5"}], 1948.5,
          [{"id": "a", "quantity": "1.5", "item_price": "1299.0"}], 2),
    lines("quantities are fractions", [{"product_id": "a", "price": "4.00", "quantity": 0.75}], 3.0,
          [{"id": "a", "quantity": "0.75", "item_price": "4.0"}], 1),
    lines("a returned line subtracts: a negative quantity",
          [{"product_id": "a", "price": 20, "quantity": 1}, {"product_id": "b", "price": 5, "quantity": -2}], 10.0,
          [{"id": "a", "quantity": "1", "item_price": "20.0"}], 1),
    lines("a returned line subtracts: a mark",
          [{"product_id": "a", "price": 20}, {"product_id": "b", "price": 5, "returned": True}], 15.0,
          [{"id": "a", "item_price": "20.0"}], 1),
    lines("a discount that is a line subtracts",
          [{"product_id": "a", "price": 20}, {"name": "Coupon", "price": "-5,00"}], 15.0,
          [{"id": "a", "item_price": "20.0"}], 1),
    lines("a discount of the order subtracts", [{"product_id": "a", "price": 20}], 17.5,
          [{"id": "a", "item_price": "20.0"}], 1, discount="2,50 €"),
    lines("a discount of a line subtracts", [{"product_id": "a", "price": 20, "quantity": 2, "discount": 5}], 35.0,
          [{"id": "a", "quantity": "2", "item_price": "20.0"}], 2),
    lines("a discount that cannot be read leaves no sum", [{"product_id": "a", "price": 20}], None,
          [{"id": "a", "item_price": "20.0"}], 1, discount="SUMMER"),
    lines("more returned than bought is no value", [{"product_id": "a", "price": 20, "quantity": -1}], None),
    order("the prices of GA4's items are after their discount",
          {"currency": "EUR", "items": [{"item_id": "a", "price": 10.01, "discount": 2.22, "quantity": 3}]}, 30.03,
          {"contents": [{"id": "a", "quantity": "3", "item_price": "10.01"}], "content_ids": ["a"], "num_items": "3"},
          {"item_ids": "a", "number_items": "3"}),
    # Baskets
    Row("ecommerce of GA4", {"properties": {"ecommerce": {"transaction_id": "T-1", "value": 39.98, "currency": "EUR",
                                                          "items": [ITEM]}}},
        custom=BASKET | {"value": 39.98, "order_id": "T-1"},
        v2=BASKET_V2 | {"price": "39.98", "transaction_id": "T-1"}),
    Row("ecommerce of older containers",
        {"properties": {"ecommerce": {"currencyCode": "EUR", "purchase": {
            "actionField": {"id": "T-1", "revenue": "39.98"}, "products": [PRODUCT]}}}},
        custom=BASKET | {"value": 39.98, "order_id": "T-1"},
        v2=BASKET_V2 | {"price": "39.98", "transaction_id": "T-1"}),
    Row("ecommerce as JSON text", {"properties": {"currency": "EUR", "order_id": "o-1",
                                                  "ecommerce": json.dumps({"items": [ITEM]})}},
        custom=BASKET | {"value": 39.98}, v2=BASKET_V2 | {"price": "39.98"}),
    order("products as one object", ORDER | {"products": PRODUCT}, 12.5, BASKET, BASKET_V2),
    order("products as PHP's object with numbers for keys",
          ORDER | {"products": {"0": PRODUCT, "2": {"id": "b"}}}, 12.5,
          BASKET | {"contents": [*BASKET["contents"], {"id": "b"}], "content_ids": ["sku-1", "b"], "num_items": "3"},
          BASKET_V2 | {"item_ids": "sku-1;b", "number_items": "3"}),
    order("products as JSON text of one object", ORDER | {"products": json.dumps(PRODUCT)}, 12.5, BASKET, BASKET_V2),
    order("ids with commas", ORDER | {"content_ids": "a, b"}, 12.5, {"content_ids": ["a", "b"], "num_items": "2"},
          {"item_ids": "a;b", "number_items": "2"}),
    order("a comma in an id where ; separates", ORDER | {"item_ids": "a,1;b"}, 12.5,
          {"content_ids": ["a,1", "b"], "num_items": "2"}, {"item_ids": "a,1;b", "number_items": "2"}),
    order("ids as JSON text", ORDER | {"content_ids": '["a","b"]'}, 12.5, {"content_ids": ["a", "b"], "num_items": "2"},
          {"item_ids": "a;b", "number_items": "2"}),
    order("ids as PHP's object", ORDER | {"content_ids": {"0": "a", "1": "b"}}, 12.5,
          {"content_ids": ["a", "b"], "num_items": "2"}, {"item_ids": "a;b", "number_items": "2"}),
    order("brand and quantity without a product id", ORDER | {"brand": "Hasbro", "quantity": 3}, 12.5,
          {"brands": ["Hasbro"], "num_items": "3"}, {"brands": ["Hasbro"], "number_items": "3"}),
    order("brands without a product id", ORDER | {"brands": ["Hasbro", "Lego"]}, 12.5, {"brands": ["Hasbro", "Lego"]},
          {"brands": ["Hasbro", "Lego"]}),
    order("id is the product's where there is a price",
          {"currency": "EUR", "id": "sku-1", "price": "19.99", "quantity": 2, "brand": "Hasbro"}, 39.98, BASKET,
          BASKET_V2),
    order("id of a purchase alone is not a product's", ORDER | {"id": "820982911946154508"}, 12.5),
    order("a num_items that is no number is counted", ORDER | {"num_items": "many"}, 12.5, dropped=("num_items",)),
    # Orders that are not completed
    *(state(f"status {word}", {"status": word}) for word in ("cancelled", "Refunded", "PENDING", "draft", "test")),
    state("order_status", {"order_status": "Awaiting Payment"}),
    state("financial_status (Shopify)", {"financial_status": "voided"}),
    state("displayFinancialStatus (Shopify)", {"displayFinancialStatus": "PENDING"}),
    state("status of WooCommerce", {"status": "wc-on-hold"}),
    state("test: true", {"test": True}),
    state("isTestOrder: true", {"isTestOrder": True}),
    state("is_pending: true", {"is_pending": "true"}),
    state("orderState", {"orderState": "cancelled"}),
    state("test: 1", {"is_test": "1"}),
    state("a time of cancellation (Shopify)", {"cancelled_at": "2026-11-20T11:00:00Z"}),
    state("a status in a column", {}, order_status="Cancelled"),
    state("test in a column", {}, test="true"),
    state("storniert", {"status": "Storniert"}),
    *(state(f"status {word} says nothing of the kind", {"status": word}, excluded=False)
      for word in ("active", "gold", "paid", "processing", "completed", "partially_refunded", "authorized")),
    state("test: false and no time of cancellation (Shopify)",
          {"test": False, "cancelled_at": None, "financial_status": "paid"}, excluded=False),
    Row("the status of an event that is no purchase", {"event_name": "checkout_started",
                                                       "properties": {"status": "pending", "test": True}},
        root={"event_name": "START_CHECKOUT"},
        custom={"value": None, "currency": None, "order_id": None, "status": "pending"},
        v2={"event_type": "START_CHECKOUT", "price": None, "currency": None, "transaction_id": None}),
    *(lines(f"a discount of {none!r} is none", [{"product_id": "a", "price": 10, "discount": none}], 10.0,
            [{"id": "a", "item_price": "10.0"}], 1, discount=none) for none in (False, [], {})),
    *(order(f"a brand of {none!r} is none", {"value": 5, "currency": "EUR", "brand": none}, 5.0)
      for none in ("", [], {"name": "Acme"})),
    order("a quantity that is none counts no items", {"value": 5, "currency": "EUR", "quantity": ""}, 5.0),
    Row("price and quantity as columns", {"properties": {"order_id": "o-1"}, "price": "4.50", "quantity": "2",
                                          "currency": "EUR"},
        custom={"value": 9.0, "num_items": "2"}, v2={"price": "9.0", "number_items": "2"}),
]  # fmt: skip
