"""The mapping tables, read as the pipeline reads them: with DuckDB's plain CSV reader."""

import duckdb
import pytest

from snap_pipeline_tests.dbt.conftest import PROJECT

SEEDS = PROJECT / "seeds"
NOWHERE, NOTHING = "not in the seed", None

EXPECTED = {
    "Order Completed": "PURCHASE",
    "checkout_completed": "PURCHASE",
    "orders/create": "PURCHASE",
    "purchase": "PURCHASE",
    "Product List Viewed": "LIST_VIEW",
    "view_item_list": "LIST_VIEW",
    "collection_viewed": "LIST_VIEW",
    "Products Searched": "SEARCH",
    "search_submitted": "SEARCH",
    "Checkout Started": "START_CHECKOUT",
    "begin_checkout": "START_CHECKOUT",
    "InitiateCheckout": "START_CHECKOUT",
    "Payment Info Entered": "ADD_BILLING",
    "payment_info_submitted": "ADD_BILLING",
    "Product Added": "ADD_CART",
    "add-to-cart": "ADD_CART",
    "product_added_to_cart": "ADD_CART",
    "Product Viewed": "VIEW_CONTENT",
    "view_item": "VIEW_CONTENT",
    "ViewContent": "VIEW_CONTENT",
    "Product Added to Wishlist": "ADD_TO_WISHLIST",
    "Signed Up": "SIGN_UP",
    "CompleteRegistration": "SIGN_UP",
    "customers/create": "SIGN_UP",
    "generate_lead": "SIGN_UP",
    "Promotion Viewed": "AD_VIEW",
    "select_promotion": "AD_CLICK",
    "Application Opened": "APP_OPEN",
    "Application Installed": "APP_INSTALL",
    "first_open": "APP_INSTALL",
    "spend_virtual_currency": "SPENT_CREDITS",
    "Order Refunded": NOTHING,
    "refund": NOTHING,
    "orders/cancelled": NOTHING,
    "Order Updated": NOTHING,
    "orders/paid": NOTHING,
    "Size Guide Opened": NOWHERE,
    "Cart Viewed": NOWHERE,
    "Product Removed": NOWHERE,
    "Checkout Step Completed": NOWHERE,
}


def folded(name: str) -> str:
    return name.lower().replace(" ", "").replace("-", "").replace("_", "")


def rows_of(seed: str, columns: str = "*") -> list[tuple]:
    file = SEEDS / f"{seed}.csv"
    return duckdb.execute(f"select {columns} from read_csv('{file}', all_varchar = true)").fetchall()


@pytest.mark.parametrize(("name", "snap_name"), EXPECTED.items())
def test_a_name_in_use_is_mapped(name: str, snap_name: str | None) -> None:
    mapping = {folded(source): snap for source, snap in rows_of("event_names", "source_name, snap_name")}
    assert mapping.get(folded(name), NOWHERE) == snap_name


def test_every_snap_name_maps_to_itself() -> None:
    mapping = dict(rows_of("event_names", "source_name, snap_name"))
    snap_names = [name for (name,) in rows_of("snap_event_names", "snap_name")]
    assert len(snap_names) == 31
    assert all(mapping[name] == name for name in snap_names)


def test_an_internal_event_is_not_a_conversion_too() -> None:
    internal = {folded(name) for (name,) in rows_of("internal_events")}
    assert {"identify", "sessionstart", "pagehidden", "consentupdate", "group", "alias"} <= internal
    assert not internal & {folded(name) for (name,) in rows_of("event_names", "source_name")}


@pytest.mark.parametrize(
    ("seed", "key"),
    [
        ("event_names", "source_name, workspace"),
        ("internal_events", "event_name"),
        ("consent_purposes", "purpose"),
        ("placeholder_ids", "placeholder_id"),
        ("action_sources", "word"),
        ("order_statuses", "status"),
    ],
)
def test_no_two_rows_differ_in_spelling_only(seed: str, key: str) -> None:
    """The same as a test of the dbt project, which fails with the marts instead of here."""
    names = [tuple(value and folded(value) for value in row) for row in rows_of(seed, key)]
    assert [name for name in names if names.count(name) > 1] == []


def test_sixty_currencies_are_accepted_by_snap() -> None:
    accepted = [code for code, is_accepted in rows_of("currencies") if is_accepted == "true"]
    assert len(accepted) == 60
    assert {"USD", "EUR", "AED", "HRK"} <= set(accepted)


@pytest.mark.parametrize("conversion_type", ["WEB", "MOBILE_APP"])
def test_the_weights_rank_click_id_or_advertising_id_first_and_add_up_to_a_hundred(conversion_type: str) -> None:
    rows = rows_of("parameter_weights", "parameter, weight::double, score_group, conversion_types")
    weights = {
        name: weight for name, weight, group, types in rows if group == "match" and conversion_type in types.split()
    }
    ranked = sorted(weights, key=lambda name: -weights[name])
    first = {"WEB": "sc_click_id", "MOBILE_APP": "madid"}[conversion_type]
    assert ranked[:5] == [first, "em", "ph", "ip_and_user_agent", "external_id"]
    assert sum(weights.values()) == 100
