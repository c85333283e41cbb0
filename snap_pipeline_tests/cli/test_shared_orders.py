"""Orders that arrive twice, from the web and days later from the shop's books: Snap counts an order id once."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from snap_pipeline_tests.project import HOUR, Project, ids, key, purchase

ORDERED = HOUR - timedelta(days=5)
HEADER = "event_id,event_name,event_timestamp,phone,value,currency,order_id"


def order(number: int) -> dict[str, Any]:
    return {"properties": {"value": 10, "currency": "EUR", "order_id": f"o-{number}"}}


def test_an_uploaded_order_and_one_paid_on_delivery_count_once_with_their_web_orders(
    run, project: Project, tmp_path: Path
) -> None:
    project.add_destination()
    project.land(*(purchase(f"web-{n}", at=ORDERED) | order(n) for n in range(3)), hour=ORDERED)
    assert run("materialize", "--from", key(ORDERED), "--to", key(ORDERED)).exit_code == 0
    books = tmp_path / "orders.csv"
    books.write_text(
        f"{HEADER}\ncsv-0,purchase,{HOUR.isoformat()},+44 844 412 4653,10,EUR,o-0\n"
        f"csv-9,purchase,{HOUR.isoformat()},+44 844 412 4653,10,EUR,o-9\n"
    )
    paid = tmp_path / "paid-on-delivery.ndjson"
    paid.write_text(json.dumps(purchase("cod-1") | order(1)))
    assert run("land", str(books), "--origin", "csv").exit_code == 0
    assert run("land", str(paid), "--origin", "cod_webhook").exit_code == 0
    assert run("materialize", "--from", key(HOUR), "--to", key(HOUR)).exit_code == 0

    assert project.counts(ORDERED, HOUR)["delivered"] == 6
    received = {event["order_id"]: event for event in project.received()}
    assert ids(received.values()) == ["csv-9", "web-0", "web-1", "web-2"]
    assert {order_id: event["received"] for order_id, event in received.items()} == {
        "o-0": 2, "o-1": 2, "o-2": 1, "o-9": 1,
    }  # fmt: skip
    assert received["o-0"]["action_source"] == "WEB"
    assert received["o-0"]["event"]["user_data"].keys() == {"em", "ph"}

    said = run("status")
    assert said.exit_code == 0
    assert "4 purchases of the newest 30 days with the order id of another one; Snap counts" in said.stdout
    assert "order id" not in run("status", "--from", key(HOUR)).stdout


def test_what_is_no_second_purchase_of_an_order_is_not_told(run, project: Project) -> None:
    project.land(
        purchase("a") | order(1),
        purchase("a") | order(1),
        purchase("checkout", event_name="checkout_started") | order(1),
        purchase("app", channel="mobile") | order(1),
        purchase("nameless-1", properties={"value": 1, "currency": "EUR"}),
        purchase("nameless-2", properties={"value": 1, "currency": "EUR"}),
    )
    project.land(purchase("a") | order(1), hour=HOUR + timedelta(hours=1))
    project.materialize(HOUR, HOUR + timedelta(hours=1))
    assert "order id" not in run("status").stdout


def test_status_as_json_keeps_its_form(run, project: Project) -> None:
    project.land(purchase("a") | order(1), purchase("b") | order(1))
    project.materialize()
    (hour,) = json.loads(run("status", "--json").stdout)
    assert hour.keys() == {"hour", "workspace", "raw", "quarantined", "excluded", "payloads", "destinations"}
    assert "2 purchases of the newest 30 days with the order id of another one" in run("status").stdout
