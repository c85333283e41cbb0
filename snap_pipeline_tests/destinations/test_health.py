"""The badge of a destination: its precedence, since when, and the remedy."""

from datetime import UTC, datetime
from typing import Any

import pytest

from snap_pipeline.capi.answers import CATALOGUE, Action, Category, with_destination
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.health import Badge, DestinationBacklog, health

SET, STOPPED, ADDED = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (1, 2, 3))
BACKLOG = DestinationBacklog(pending=1_234, in_doubt=5, oldest="2026-11-20T12")
NOTHING = DestinationBacklog()
STOP = {"stopped_at": STOPPED, "stop_count": 1, "stop_message": "…"}


def destination(**changes: Any) -> Destination:
    known: dict[str, Any] = {
        "id": "i",
        "workspace": "default",
        "name": "shop",
        "pixel_id": "p",
        "snap_app_id": None,
        "api_version": "v3",
        "base_url": "https://tr.snapchat.com",
        "requests_per_minute": 1_000,
        "since": "2026-11-20T00",
        "state": "live",
        "state_since": ADDED,
        "token_last_four": "1234",
        "token_set_at": SET,
    }
    return Destination(**(known | changes))


@pytest.mark.parametrize(
    ("changes", "backlog", "badge", "since"),
    [
        ({}, NOTHING, Badge.LIVE, ADDED),
        ({"state_since": None}, NOTHING, Badge.LIVE, None),
        ({"last_error": "HTTP 401", "last_error_at": SET}, NOTHING, Badge.LIVE, ADDED),
        ({}, BACKLOG, Badge.BEHIND, datetime(2026, 11, 20, 13, tzinfo=UTC)),
        (
            {},
            DestinationBacklog(in_doubt=1, oldest="2026-11-20T12"),
            Badge.BEHIND,
            datetime(2026, 11, 20, 13, tzinfo=UTC),
        ),
        (STOP | {"stop_category": "server_error"}, BACKLOG, Badge.FAILING, STOPPED),
        (STOP | {"stop_category": "not_found"}, NOTHING, Badge.FAILING, STOPPED),
        (STOP | {"stop_category": "unauthorized"}, BACKLOG, Badge.UNAUTHORIZED, STOPPED),
        (STOP | {"stop_category": "forbidden"}, NOTHING, Badge.UNAUTHORIZED, STOPPED),
        (STOP | {"stop_category": "unauthorized", "state": "paused"}, BACKLOG, Badge.PAUSED, ADDED),
        ({"state": "paused"}, NOTHING, Badge.PAUSED, ADDED),
    ],
)
def test_the_first_badge_that_holds_is_shown(
    changes: dict[str, Any], backlog: DestinationBacklog, badge: Badge, since: datetime | None
) -> None:
    found = health(destination(**changes), backlog)
    assert (found.badge, found.since) == (badge, since)


def test_the_badges_are_declared_in_the_order_of_their_precedence() -> None:
    assert list(Badge) == ["paused", "unauthorized", "failing", "behind", "live"]


@pytest.mark.parametrize("category", [each for each in Category if CATALOGUE[each].action is not Action.DELIVER])
def test_a_stop_is_answered_by_the_catalogues_remedy(category: Category) -> None:
    found = health(destination(**STOP, stop_category=category), NOTHING)
    assert found.what_to_do == with_destination(CATALOGUE[category].remedy, destination().name)


def test_a_paused_destination_keeps_what_is_pending_until_resume() -> None:
    assert "are kept (1,234)" in health(destination(state="paused"), BACKLOG).what_to_do
    assert "destination resume shop" in health(destination(state="paused"), NOTHING).what_to_do


def test_what_is_behind_is_told_with_its_oldest_hour() -> None:
    words = health(destination(), BACKLOG).what_to_do
    assert "1,234 pending, 5 in doubt, the oldest of 2026-11-20T12" in words
    assert "reconcile" in words
