"""Payloads of an hour with nonsensical values in one event: the other events are sent as they would be without it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.project import HOUR, Project, purchase


def payloads(project: Project, *events: dict[str, Any]) -> dict[str, dict[str, Any]]:
    project.land(*events)
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    project.pipeline.transformations.make_filtered_events(HOUR)
    project.pipeline.transformations.make_conversion_payloads(HOUR)
    return {row["event_id"]: row for row in project.rows("conversion_payloads")}


@pytest.mark.parametrize(
    ("nonsense", "column", "expected"),
    [
        ({"predicted_ltv": [None]}, "predicted_ltv", None),
        ({"value": {"amount": 5}}, "value", None),
        ({"products": [{"price": 1e300, "quantity": 1e18}, {"price": 1e308}]}, "value", None),
        ({"products": [{"id": "a", "quantity": 9 * 10**18}, {"id": "b", "quantity": "9e18"}]}, "num_items", 2),
    ],
)
def test_nonsense_in_one_event_leaves_the_others_as_they_are(
    project: Project, nonsense: dict[str, Any], column: str, expected: object
) -> None:
    plain = [purchase(f"e{n}", properties={"value": 10, "currency": "EUR", "predicted_ltv": "1"}) for n in range(20)]
    odd = [purchase(f"odd{n}", properties={"currency": "EUR"} | nonsense) for n in range(3)]

    rows = payloads(project, *plain, *odd)

    assert [(rows[f"e{n}"]["value"], rows[f"e{n}"]["predicted_ltv"]) for n in range(20)] == [(10.0, 1.0)] * 20
    assert [rows[f"odd{n}"][column] for n in range(3)] == [expected] * 3


@pytest.mark.parametrize(
    "order",
    [
        lambda order_id: {"order_id": order_id, "properties": {"value": 1, "currency": "EUR"}},
        lambda order_id: {"order_id": order_id, "properties": {"value": 1, "currency": "EUR", "order_id": "other"}},
        lambda order_id: {"order_id": order_id, "properties": {"value": 1, "note": "ann@example.com"}},
        lambda order_id: {"properties": {"value": 1, "currency": "EUR", "order_id": order_id}},
        lambda order_id: {"properties": {"value": 1, "order_id": " null", "orderId": f" {order_id} "}},
        lambda order_id: {"properties": {"value": 1, "transaction_id": order_id, "note": "ann@example.com"}},
    ],
)
def test_an_order_id_with_an_email_address_in_it_goes_out_as_its_digest(
    project: Project, order: Callable[[str], dict[str, Any]]
) -> None:
    with_address = [
        "A-bob@example.de-B",
        "A-ann@example.de-B",
        "bob@example.de-1",
        "bob%40example.de",
        "bob@example.de",
    ]
    given = [*with_address, "o-1", "ö@1", "100%40"]

    rows = payloads(project, *(purchase(f"e{n}") | order(order_id) for n, order_id in enumerate(given)))

    digests = [sha256(order_id.encode()).hexdigest() for order_id in with_address]
    assert [rows[f"e{n}"]["order_id"] for n in range(len(given))] == [*digests, "o-1", "ö@1", "100%40"]


@pytest.mark.parametrize("properties", [None, {}, {"note": "ann@example.com"}, {"order_id": None, "note": "a@b.de"}])
def test_an_address_elsewhere_makes_no_order_id(project: Project, properties: object) -> None:
    assert payloads(project, purchase("e", properties=properties, value=1))["e"]["order_id"] is None
