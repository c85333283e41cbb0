"""Scores and coaching against values computed by hand; docs/match-quality.md works the purchase out."""

import pytest

from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import Query

PURCHASE_SCORE = (28 * (1 / 10) / 0.3 + 20 + 0 + 12 + 9 * (4 / 10) / 0.8 + 6) / 10
PURCHASE_COMMERCE_SCORE = (40 + 20 + 0 + 15 * 0.5) / 10
PURCHASE_SCORE_BEFORE = 20 * (1 / 4) / 0.6 / 10


def score_of(marts: Query, event: str, *, workspace: str = "shop", conversion_type: str = "WEB") -> tuple:
    (row,) = marts(
        "select events, score, previous_score, commerce_score, previous_commerce_score, trend"
        " from emq_scores"
        f" where (workspace, event_name, conversion_type) = ('{workspace}', '{event}', '{conversion_type}')"
    )
    return row


def coached(marts: Query, event: str, conversion_type: str = "WEB") -> list[str]:
    rows = marts(
        "select parameter from emq_coaching where workspace = 'shop'"
        f" and (event_name, conversion_type) = ('{event}', '{conversion_type}') order by rank"
    )
    return [parameter for (parameter,) in rows]


def test_a_score_weighs_how_much_of_each_target_is_reached(marts: Query) -> None:
    events, score, _, commerce_score, _, _ = score_of(marts, "PURCHASE")
    assert events == 10
    assert score == pytest.approx(PURCHASE_SCORE) == pytest.approx(5.18333, abs=1e-5)
    assert commerce_score == pytest.approx(PURCHASE_COMMERCE_SCORE)


def test_the_week_before_is_scored_for_comparison(marts: Query) -> None:
    _, _, previous_score, _, previous_commerce_score, trend = score_of(marts, "PURCHASE")
    assert previous_score == pytest.approx(PURCHASE_SCORE_BEFORE)
    assert previous_commerce_score == pytest.approx(4)
    assert trend == "up"


def test_everything_carried_is_ten_and_needs_no_coaching(marts: Query) -> None:
    assert score_of(marts, "LOGIN") == (1, 10, 10, None, None, "steady")
    assert coached(marts, "LOGIN") == []


def test_a_single_event_that_carries_nothing_is_zero(marts: Query) -> None:
    assert score_of(marts, "SIGN_UP") == (1, 0, None, None, None, "new")


def test_a_custom_event_has_no_commerce_score(marts: Query) -> None:
    assert score_of(marts, "SIZE_GUIDE_OPENED")[3] is None
    assert "value" not in coached(marts, "SIZE_GUIDE_OPENED")


def test_the_largest_gain_is_coached_first(marts: Query) -> None:
    gains = marts(
        "select parameter, gain from emq_coaching where workspace = 'shop' and event_name = 'PURCHASE'"
        " and conversion_type = 'WEB' order by rank limit 5"
    )
    assert [name for name, _ in gains] == ["content_ids", "sc_click_id", "ph", "order_id", "external_id"]
    assert [gain for _, gain in gains] == pytest.approx([2.5, 2.8 * 2 / 3, 1.5, 0.75, 0.45])


@pytest.mark.parametrize("parameter", lakes.CLOSED_GAPS)
def test_closing_a_gap_gains_what_the_coaching_said(marts: Query, parameter: str) -> None:
    ((gain, group),) = marts(
        "select gain, score_group from emq_coaching where workspace = 'shop' and event_name = 'PURCHASE'"
        f" and conversion_type = 'WEB' and parameter = '{parameter}'"
    )
    _, match, _, commerce, _, _ = score_of(marts, "PURCHASE", workspace=f"with_{parameter}")
    before = {"match": PURCHASE_SCORE, "commerce": PURCHASE_COMMERCE_SCORE}
    after = {"match": match, "commerce": commerce}
    assert after == pytest.approx(before | {group: before[group] + gain})


def test_every_gap_of_the_purchase_was_closed_once(marts: Query) -> None:
    assert set(coached(marts, "PURCHASE")) == set(lakes.CLOSED_GAPS)


def test_the_gains_add_up_to_what_the_scores_lack(marts: Query) -> None:
    rows = marts("""
        select any_value(score) + coalesce(sum(gain) filter (where score_group = 'match'), 0)
        from emq_scores left join emq_coaching using (workspace, event_name, conversion_type)
        group by workspace, event_name, conversion_type
    """)
    assert [total for (total,) in rows] == pytest.approx([10] * (6 + len(lakes.CLOSED_GAPS)))


@pytest.mark.parametrize(
    ("parameter", "words", "lacking", "at_target"),
    [
        ("sc_click_id", "Preserve the click id", ("PURCHASE", "WEB"), ("LOGIN", "WEB")),
        ("sc_click_id", "first-party cookie on your own domain", ("SIGN_UP", "WEB"), ("LOGIN", "WEB")),
        ("em", "Collect the e-mail before this event fires", ("SIGN_UP", "WEB"), ("PURCHASE", "WEB")),
        ("ph", "Ask for the phone number", ("PURCHASE", "WEB"), ("LOGIN", "WEB")),
        ("content_ids", "Pass products with id, quantity and price", ("PURCHASE", "WEB"), ("LOGIN", "WEB")),
        ("value", "in a column named value, revenue or total", ("PURCHASE", "OFFLINE"), ("PURCHASE", "WEB")),
        ("em", "at the till", ("PURCHASE", "OFFLINE"), ("PURCHASE", "WEB")),
        ("currency", "Pass the three-letter ISO 4217 currency", ("PURCHASE", "OFFLINE"), ("PURCHASE", "WEB")),
    ],
)
def test_the_classic_advice_is_given_where_it_applies(
    marts: Query, parameter: str, words: str, lacking: tuple[str, str], at_target: tuple[str, str]
) -> None:
    def advice(event: str, conversion_type: str) -> list[str]:
        rows = marts(
            f"select advice from emq_coaching where workspace = 'shop' and parameter = '{parameter}'"
            f" and (event_name, conversion_type) = ('{event}', '{conversion_type}')"
        )
        return [text for (text,) in rows]

    (said,) = advice(*lacking)
    assert words in said
    assert advice(*at_target) == []


def test_nobody_is_coached_on_what_a_conversion_type_cannot_carry(marts: Query) -> None:
    offline, app = coached(marts, "PURCHASE", "OFFLINE"), coached(marts, "APP_OPEN", "MOBILE_APP")
    assert offline[:4] == ["value", "em", "ph", "content_ids"]
    assert not {"sc_click_id", "sc_cookie1", "ip_and_user_agent", "madid", "idfv"} & set(offline)
    assert app[0] == "madid"
    assert "idfv" in app
    assert not {"sc_click_id", "sc_cookie1"} & set(app)
    assert "madid" not in coached(marts, "SIGN_UP")


def test_the_week_is_168_closed_hours_across_the_month(marts: Query) -> None:
    assert marts("select distinct window_end::varchar from emq_scores") == [("2026-03-03 00:00:00",)]
    assert marts("select max(events), max(previous_events) from emq_parameters") == [(10, 4)]
