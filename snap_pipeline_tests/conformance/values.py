"""Value, currency and order id (snap-api.md, sections 3.5 and 3.6)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import Row


def amount(
    title: str, properties: dict[str, Any], value: float | None, *, currency: str | None = "EUR", **options: Any
) -> Row:
    """Return a row that differs in its amount; without one, a purchase is not sent."""
    price = None if value is None else str(float(value))
    currency = None if value is None else currency
    incomplete = value is None or currency is None
    reason = {"v3": "purchase_without_value", "v2": "purchase_without_value"} if incomplete else {}
    return Row(
        title,
        {"properties": {"currency": "EUR", "order_id": "o-1"} | properties},
        custom={"value": value, "currency": currency},
        v2={"price": price, "currency": currency},
        undeliverable=reason,
        **options,
    )


ROWS = [
    amount("value before revenue, total and price", {"value": 1, "revenue": 2, "total": 3, "price": 4}, 1.0),
    amount("revenue before total", {"revenue": 2.25, "total": 3}, 2.25),
    amount("total", {"total": 3}, 3.0),
    Row("price times quantity of a product without an id",
        {"properties": {"currency": "EUR", "order_id": "o-1", "price": "9,50", "quantity": "2"}},
        custom={"value": 19.0, "num_items": "2"}, v2={"price": "19.0", "number_items": "2"}),
    amount("price alone", {"price": 9.5}, 9.5),
    amount("0 is a value and is not overwritten", {"value": 0, "revenue": 7}, 0.0),
    amount("revenue 0 is not overwritten by price times quantity",
           {"revenue": 0, "total": 9}, 0.0),
    amount("a decimal point in a string", {"value": "49.90"}, 49.9),
    amount("a decimal comma", {"value": "49,90"}, 49.9),
    amount("thousands with a point, decimals with a comma", {"value": "1.299,00"}, 1299.0),
    amount("thousands with a comma, decimals with a point", {"value": "1,299.00"}, 1299.0),
    amount("a currency sign before it", {"value": "€ 12.50"}, 12.5),
    amount("a currency code after it", {"value": "12.50 EUR"}, 12.5),
    amount("an empty string falls through to the next", {"value": "", "revenue": "5"}, 5.0),
    amount("negative is dropped and counted", {"value": -5}, None, dropped=("value",)),
    amount("words are dropped and counted", {"value": "free"}, None, dropped=("value",)),
    amount("NaN as text is no value", {"value": "NaN", "revenue": 3}, 3.0),
    amount("Infinity is dropped and counted", {"value": "Infinity"}, None, dropped=("value",)),
    amount("an object is dropped and counted", {"value": {"amount": 3}}, None, dropped=("value",)),
    amount("a list is dropped and counted", {"value": [None]}, None, dropped=("value",)),
    amount("large amounts stay numbers", {"value": 123456789.01}, 123456789.01),
    amount("the currency in upper case", {"value": 1, "currency": "gbp"}, 1.0, currency="GBP"),
    amount("a currency outside Snap's list goes out", {"value": 1, "currency": "ISK"}, 1.0, currency="ISK"),
    amount("what is no code of ISO 4217 is dropped and counted", {"value": 1, "currency": "XYZ"}, 1.0, currency=None,
           dropped=("currency",)),
    amount("a name is no code", {"value": 1, "currency": "Euro"}, 1.0, currency=None, dropped=("currency",)),
    amount("currency_code", {"value": 1, "currency": None, "currency_code": "USD"}, 1.0, currency="USD"),
    Row("the workspace's currency where the event has none", {"properties": {"value": 8, "order_id": "o-1"}},
        custom={"value": 8.0, "currency": "GBP"}, v2={"price": "8.0", "currency": "GBP"}, workspace="britain"),
    Row("an event that is no purchase needs no value", {"event_name": "checkout_started", "properties": {}},
        root={"event_name": "START_CHECKOUT"}, custom={"value": None, "currency": None, "order_id": None},
        v2={"event_type": "START_CHECKOUT", "price": None, "currency": None, "transaction_id": None}),
    Row("a currency without an amount says nothing", {"event_name": "checkout_started",
                                                      "properties": {"currency": "EUR"}},
        root={"event_name": "START_CHECKOUT"}, custom={"value": None, "currency": None, "order_id": None},
        v2={"event_type": "START_CHECKOUT", "price": None, "currency": None, "transaction_id": None}),
    Row("columns before properties", {"value": "7.5", "currency": "USD", "order_id": "column"},
        custom={"value": 7.5, "currency": "USD", "order_id": "column"},
        v2={"price": "7.5", "currency": "USD", "transaction_id": "column"}),
    Row("orderId", {"properties": {"value": 12.5, "currency": "EUR", "orderId": "o-2"}},
        custom={"order_id": "o-2"}, v2={"transaction_id": "o-2"}),
    Row("transaction_id (GA4)", {"properties": {"value": 12.5, "currency": "EUR", "transaction_id": "T_1"}},
        custom={"order_id": "T_1"}, v2={"transaction_id": "T_1"}),
    Row("an order id that is a number of JSON", {"properties": {"value": 12.5, "currency": "EUR", "order_id": 1001}},
        custom={"order_id": "1001"}, v2={"transaction_id": "1001"}),
    Row("predicted_ltv, status, customer_status, event_tag",
        {"properties": {"value": 12.5, "currency": "EUR", "order_id": "o-1", "predicted_ltv": "99.5",
                        "status": "paid", "customer_status": "new", "event_tag": "spring"}},
        custom={"predicted_ltv": 99.5, "status": "paid", "customer_status": "new", "event_tag": "spring"},
        v2={"customer_status": "new", "event_tag": "spring"}),
    Row("search_string", {"event_name": "Products Searched", "properties": {"query": "blue roses"}},
        root={"event_name": "SEARCH"},
        custom={"value": None, "currency": None, "order_id": None, "search_string": "blue roses"},
        v2={"event_type": "SEARCH", "price": None, "currency": None, "transaction_id": None,
            "search_string": "blue roses"}),
    Row("sign_up_method", {"event_name": "Signed Up", "properties": {"method": "Google"}},
        root={"event_name": "SIGN_UP"},
        custom={"value": None, "currency": None, "order_id": None, "sign_up_method": "Google"},
        v2={"event_type": "SIGN_UP", "price": None, "currency": None, "transaction_id": None,
            "sign_up_method": "Google"}),
]  # fmt: skip
