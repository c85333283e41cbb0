"""Deduplication of a visit that both the browser pixel and the server report (snap-api.md, section 5)."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import requests

from snap_pipeline_tests.project import HOUR, PIXEL_ID, Project, purchase

TWO_DAYS, A_MONTH, A_SECOND = timedelta(hours=48), timedelta(days=30), timedelta(seconds=1)
CASES: dict[str, tuple[str, timedelta, dict[str, str], int]] = {
    # What the server sends; what the pixel says, how long before; how often Snap counts the two.
    "sign-up with the same id": ("SIGN_UP", timedelta(), {"client_dedup_id": "{id}"}, 1),
    "sign-up with the same id 48 hours apart": ("SIGN_UP", TWO_DAYS, {"client_dedup_id": "{id}"}, 1),
    "sign-up with the same id more than 48 hours apart": (
        "SIGN_UP", TWO_DAYS + A_SECOND, {"client_dedup_id": "{id}"}, 2,
    ),
    "sign-up with another id": ("SIGN_UP", timedelta(), {"client_dedup_id": "another"}, 2),
    "sign-up without an id in the browser": ("SIGN_UP", timedelta(), {}, 2),
    "sign-up with the same id under another name": ("SUBSCRIBE", timedelta(), {"client_dedup_id": "{id}"}, 2),
    "sign-up with the same order id alone": ("SIGN_UP", timedelta(), {"transaction_id": "o-{id}"}, 2),
    "purchase with the same id": ("PURCHASE", timedelta(), {"client_dedup_id": "{id}"}, 1),
    "purchase with another id and the same order id": (
        "PURCHASE", timedelta(), {"client_dedup_id": "another", "transaction_id": "o-{id}"}, 1,
    ),
    "purchase with the same order id 30 days apart": ("PURCHASE", A_MONTH, {"transaction_id": "o-{id}"}, 1),
    "purchase with the same order id more than 30 days apart": (
        "PURCHASE", A_MONTH + A_SECOND, {"transaction_id": "o-{id}"}, 2,
    ),
    "purchase with another id and another order id": (
        "PURCHASE", timedelta(), {"client_dedup_id": "yet another", "transaction_id": "o-another"}, 2,
    ),
}  # fmt: skip


def of_server(case: str) -> dict[str, Any]:
    """Return the event as it lands; its order id is `o-` and its id."""
    return purchase(case, event_name=case.split(maxsplit=1)[0], email="person@example.com")


def of_browser(case: str) -> dict[str, Any]:
    """Return the pixel's report of `snaptr('track', name, fields)`."""
    name, before, fields, _ = CASES[case]
    at = int((HOUR - before).timestamp() * 1000)
    ids = {key: value.format(id=case) for key, value in fields.items()}
    return {"pixel_id": PIXEL_ID, "name": name, "timestamp": at, "case": case} | ids


@pytest.mark.parametrize("api_version", ["v3", "v2"])
def test_what_pixel_and_server_report_counts_as_often_as_snap_s_rules_say(project: Project, api_version: str) -> None:
    project.add_destination(api_version=api_version)
    project.land(*map(of_server, CASES))
    before, after = list(CASES)[::2], list(CASES)[1::2]
    report(project, before)
    assert project.materialize().success
    report(project, after)

    received = project.received()
    assert sum(event["received"] for event in received) == 2 * len(CASES)
    counted = Counter(event["event"].get("case", event["event_id"]) for event in received)
    assert counted == {case: times for case, (*_, times) in CASES.items()}
    both = {event["event_id"]: event["sources"] for event in received if event["received"] == 2}
    assert both["sign-up with the same id"] == ["pixel", "server"]
    assert both["sign-up with the same id 48 hours apart"] == ["server", "pixel"]


def report(project: Project, cases: list[str]) -> None:
    answer = requests.post(f"{project.sandbox_url}/_sandbox/pixel", json=[*map(of_browser, cases)], timeout=30)
    answer.raise_for_status()
