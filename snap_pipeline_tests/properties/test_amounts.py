"""Sums over the lines of an order: exact, or missing and counted, never of a part of the lines."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.project import purchase
from snap_pipeline_tests.properties.hour import Hours, few_hours

UNREADABLE = ("free", "5 %", "12k", "3 for 2", {"amount": 5}, [1])
prices = st.decimals(0, 100_000_000, places=2)
quantities = st.decimals(-3, 9, places=2) | st.integers(-3, 9).map(Decimal)
spellings = st.sampled_from(("{:.2f}", "€{:,.2f}", "{:.2f} EUR", "&euro;{:.2f}"))


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Decimal | None]:
    """Draw the lines of an order, and its sum; None where a line cannot be read or the sum is negative."""
    lines, total = [], Decimal(0)
    readable = True
    for number in range(draw(st.integers(1, 5))):
        price, quantity = draw(prices), draw(quantities)
        line: dict[str, Any] = {"product_id": f"p{number}", "quantity": str(quantity)}
        if draw(st.integers(0, 9)):
            line["price"] = draw(spellings).format(price)
        else:
            line["price"], readable = draw(st.sampled_from(UNREADABLE)), False
        total += price * quantity
        lines.append(line)
    return lines, total if readable and total >= 0 else None


@few_hours
@given(given_orders=st.lists(orders(), min_size=40, max_size=80))
def test_a_sum_is_exact_or_missing_and_counted(
    hours: Hours, given_orders: list[tuple[list[dict[str, Any]], Decimal | None]]
) -> None:
    events = [
        purchase(f"e{number}", properties={"currency": "EUR", "products": lines})
        for number, (lines, _) in enumerate(given_orders)
    ]
    payloads = {row["event_id"]: row for row in hours.run(events).payloads}
    for number, (lines, total) in enumerate(given_orders):
        payload = payloads[f"e{number}"]
        assert payload["value"] == (None if total is None else float(total)), lines
        assert ("value" in payload["dropped"]) is (total is None), lines
