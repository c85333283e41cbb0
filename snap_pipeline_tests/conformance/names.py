"""Event names: mapped, respelled, custom, internal, mapped to nothing (snap-api.md, section 4; docs/events.md)."""

from snap_pipeline_tests.conformance.rows import Row


def named(title: str, given: str, expected: str, workspace: str = "default") -> Row:
    """Return a row that differs in its name."""
    return Row(
        title, {"event_name": given}, root={"event_name": expected}, v2={"event_type": expected}, workspace=workspace
    )


ROWS = [
    named("Segment: Order Completed", "Order Completed", "PURCHASE"),
    named("Segment: Product Viewed", "Product Viewed", "VIEW_CONTENT"),
    named("Segment: Product List Viewed", "Product List Viewed", "LIST_VIEW"),
    named("Segment: Products Searched", "Products Searched", "SEARCH"),
    named("Segment: Product Added", "Product Added", "ADD_CART"),
    named("Segment: Product Added to Wishlist", "Product Added to Wishlist", "ADD_TO_WISHLIST"),
    named("Segment: Checkout Started", "Checkout Started", "START_CHECKOUT"),
    named("Segment: Payment Info Entered", "Payment Info Entered", "ADD_BILLING"),
    named("Segment: Signed Up", "Signed Up", "SIGN_UP"),
    named("GA4: view_item", "view_item", "VIEW_CONTENT"),
    named("GA4: view_item_list", "view_item_list", "LIST_VIEW"),
    named("GA4: add_to_cart", "add_to_cart", "ADD_CART"),
    named("GA4: begin_checkout", "begin_checkout", "START_CHECKOUT"),
    named("GA4: add_payment_info", "add_payment_info", "ADD_BILLING"),
    named("GA4: sign_up", "sign_up", "SIGN_UP"),
    named("GA4: login", "login", "LOGIN"),
    named("GA4: add_to_wishlist", "add_to_wishlist", "ADD_TO_WISHLIST"),
    named("GA4: search", "search", "SEARCH"),
    named("Shopify: product_viewed", "product_viewed", "VIEW_CONTENT"),
    named("Shopify: collection_viewed", "collection_viewed", "LIST_VIEW"),
    named("Shopify: product_added_to_cart", "product_added_to_cart", "ADD_CART"),
    named("Shopify: checkout_started", "checkout_started", "START_CHECKOUT"),
    named("Shopify: payment_info_submitted", "payment_info_submitted", "ADD_BILLING"),
    named("Shopify: checkout_completed", "checkout_completed", "PURCHASE"),
    named("Shopify: search_submitted", "search_submitted", "SEARCH"),
    named("Segment: Promotion Viewed", "Promotion Viewed", "AD_VIEW"),
    named("Segment: Promotion Clicked", "Promotion Clicked", "AD_CLICK"),
    named("GA4: view_promotion", "view_promotion", "AD_VIEW"),
    named("GA4: select_promotion", "select_promotion", "AD_CLICK"),
    named("GA4: generate_lead", "generate_lead", "SIGN_UP"),
    named("case, spaces, hyphens and underscores make no difference", " order-COMPLETED_", "PURCHASE"),
    named("Snap's own name", "SPENT_CREDITS", "SPENT_CREDITS"),
    named("Meta's name for it is not Snap's", "AddToCart", "ADD_CART"),
    named("an unknown name in upper case with underscores", "Quiz finished (2)", "QUIZ_FINISHED_2"),
    named("an unknown name in camel case", "quizFinished", "QUIZ_FINISHED"),
    named("a mapping of one workspace", "Lead Form Sent", "SIGN_UP", workspace="britain"),
    named("and not of another", "lead form sent", "LEAD_FORM_SENT"),
    Row("a refund is mapped to nothing", {"event_name": "Order Refunded"}, excluded="mapped_to_nothing"),
    Row("a name that the home maps to nothing", {"event_name": "Internal Beacon"}, excluded="mapped_to_nothing"),
    Row("session_start is internal", {"event_name": "session_start"}, excluded="internal"),
    Row("page_hidden is internal", {"event_name": "Page Hidden"}, excluded="internal"),
    Row("a consent update is internal", {"event_name": "consent_update"}, excluded="internal"),
    Row("identify is internal", {"type": "identify", "event_name": None}, excluded="internal"),
    Row("group is internal", {"type": "group", "event_name": None}, excluded="internal"),
    Row("alias is internal", {"type": "alias", "event_name": None}, excluded="internal"),
    Row("no name at all", {"event_name": None}, excluded="no_event_name"),
    Row("an unmapped name where the workspace excludes them", {"event_name": "Quiz", "consent": {"ads": True}},
        workspace="strict", excluded="unmapped"),
    Row("a page call is a page view, whatever its name",
        {"type": "page", "event_name": None, "name": "Order Completed"},
        root={"event_name": "PAGE_VIEW"}, v2={"event_type": "PAGE_VIEW"}),
]  # fmt: skip
