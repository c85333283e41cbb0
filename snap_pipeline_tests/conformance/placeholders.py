"""Ids that stand for nobody, or for no order: they are not sent, and counted (docs/identity.md)."""

from snap_pipeline_tests.conformance.rows import Row

NIL = "00000000-0000-0000-0000-000000000000"


def customer(title: str, *dropped: str, sent: tuple[str, ...] = (), **event: object) -> Row:
    """Return a row that differs in the ids of the customer alone."""
    user = {"external_id": list(sent)} if sent else {}
    return Row(title, event, user=user, v2={"integration_user_id": None}, dropped=dropped)


def order(title: str, given: object, sent: str | None = None, *, dropped: bool = True) -> Row:
    """Return a row that differs in the order id alone, among the properties."""
    return Row(
        title,
        {"properties": {"value": 12.5, "currency": "EUR", **given}} if isinstance(given, dict) else {"order_id": given},
        custom={"order_id": sent},
        v2={"transaction_id": sent},
        dropped=("order_id",) if dropped else (),
    )


ROWS = [
    *(
        customer(f"user id {text!r} is nobody's", "user_id", user_id=text)
        for text in ("anonymous", "Unknown", "guest", "undefined", "0", "-1", "xxxx", NIL, "{{user.id}}", "[USER_ID]")
    ),
    customer("userId of Segment that is nobody's", "user_id", userId="anonymous"),
    customer(
        "user id that is nobody's does not hide the other spelling", "user_id", user_id="0", userId="c-1", sent=("c-1",)
    ),
    customer(
        "external id that is nobody's gives way to the user id",
        "external_id",
        external_id="n/a",
        user_id="c-1",
        sent=("c-1",),
    ),
    customer("one of several external ids is nobody's", "external_id", external_id=["guest", "c-1"], sent=("c-1",)),
    customer(
        "anonymous and previous id that are nobody's",
        "anonymous_id",
        "previous_id",
        anonymous_id=NIL,
        previous_id="null",
    ),
    customer("customer number 7", user_id="7", sent=("7",)),
    customer("customer number 11", user_id="11", sent=("11",)),
    order("order id that is none, in properties", {"order_id": "undefined"}),
    order("order id 0", {"order_id": 0}),
    order("order id with a template mark", {"transaction_id": "{{transaction_id}}"}),
    order("order id that is none gives way to the next key", {"order_id": "-", "transaction_id": "t-1"}, "t-1"),
    order("order id that is none in its own column gives way to the properties", "N/A", "o-1"),
    order("order number 7", {"order_id": 7}, "7", dropped=False),
    Row(
        "a deduplication id that stands for nothing does not hide the event's id",
        {"client_dedup_id": "{{event_id}}"},
        dropped=("event_id",),
    ),
    order(
        "an order id of GA4's object that is none does not hide that of its action",
        {"ecommerce": {"transaction_id": "undefined", "purchase": {"actionField": {"id": "o-9"}}}},
        "o-9",
    ),
]
