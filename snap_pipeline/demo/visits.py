"""The behaviour of the sample shop's customers: visits in a browser or the app, phone orders, back-office events.

Events here have no format yet; `trackers.py` formats them.
"""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal
from urllib.parse import urlencode

from snap_pipeline.demo.shop import CATALOGUE, CATEGORIES, Customer, Device, Product, random_uuid

SHOP_URL = "https://shop.example.com"
SECONDS_AN_HOUR = 3600

Source = Literal["web", "app", "server", "cod_webhook", "csv"]


@dataclass(frozen=True)
class ShopEvent:
    """An event in the shop.

    Attributes:
        source: the system that reports it.
        action: a key of `trackers.NAMES`.
        second: time in seconds since the start of the visit, later since the start of the hour.
        device: None if the source does not know it.
        is_logged_in: the source knows the customer's account.
        url: of the page.
        traits: input of the customer: `email`, `phone`, `first_name`, …
        click_ids: click ids that the tracker has kept, by query parameter.
    """

    source: Source
    action: str
    second: float
    event_id: str
    customer: Customer
    device: Device | None = None
    is_logged_in: bool = False
    url: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, str] = field(default_factory=dict)
    click_ids: dict[str, str] = field(default_factory=dict)


class Visit:
    """A simulated visit.

    Args:
        rng: random generator for all decisions.
        customer: the visitor.
        device: of the visitor; with an app context the visit is in the app.
        is_new: this is the customer's first visit.
    """

    def __init__(self, rng: Random, customer: Customer, device: Device, *, is_new: bool) -> None:
        self._rng, self._customer, self._device, self._is_new = rng, customer, device, is_new
        self._source: Source = "app" if device.app else "web"
        self._is_logged_in = not is_new and customer.user_id is not None and self._chance(0.35)
        self._second = 0.0
        self._click_ids: dict[str, str] = {}
        self._cart: list[dict[str, Any]] = []
        self._events: list[ShopEvent] = []

    def simulate(self) -> list[ShopEvent]:
        """Simulate the visit, at a random time of the hour, and return its events; call it once."""
        if self._source == "app":
            self._open_app()
        else:
            self._view_landing_page()
        self._log_in()
        self._browse()
        if self._cart and self._chance(0.45):
            self._checkout()
        if self._source == "web" and self._chance(0.5):
            self._record("page_hidden", url=SHOP_URL)
        start = self._rng.uniform(0, SECONDS_AN_HOUR - self._second - 1)
        return [replace(event, second=event.second + start) for event in self._events]

    def _view_landing_page(self) -> None:
        # Most shops lose the click id here: only the first page's address has it.
        url = f"{SHOP_URL}/{self._rng.choice(('', 'new', 'collections/shoes', 'products/sku-301'))}"
        query = self._landing_query()
        if self._chance(0.7):
            self._record("session_start", url=url)
        self._record("page_viewed", {"title": "Sample Shop"}, url=f"{url}?{urlencode(query)}" if query else url)
        if self._customer.consent and self._chance(0.6 if self._is_new else 0.08):
            self._record("consent_update", {"choice": dict(self._customer.consent)}, url=url)

    def _landing_query(self) -> dict[str, str]:
        campaign = self._rng.choices(("snapchat", "google", "newsletter", None), (40, 20, 10, 30))[0]
        if campaign is None:
            return {}
        query = {"utm_source": campaign, "utm_medium": "paid", "utm_campaign": "autumn-26"}
        if campaign == "snapchat":
            click_id = {self._rng.choices(("ScCid", "sclid"), (85, 15))[0]: random_uuid(self._rng)}
            if self._chance(0.12):
                self._click_ids = click_id
            query |= click_id
        return query

    def _open_app(self) -> None:
        if self._is_new:
            self._record("app_installed", {"version": "4.2.0"})
        self._record("app_opened", {"from_background": self._chance(0.5)})
        self._record("screen", {"screen": "Home"})

    def _log_in(self) -> None:
        if self._customer.user_id is None or self._is_logged_in:
            return
        if self._chance(0.45 if self._is_new else 0.3):
            self._is_logged_in = True
            traits = {"email": typed_email(self._rng, self._customer), "first_name": self._customer.first_name}
            self._record("signed_up" if self._is_new else "logged_in", {"method": "email"}, traits=traits)
            if self._chance(0.35):
                traits = traits | {"phone": self._customer.phone, "last_name": self._customer.last_name}
            self._record("identify", traits=traits)

    def _browse(self) -> None:
        for _ in range(self._rng.randrange(1, 4)):
            self._search_or_view_list()
            product = self._rng.choice(CATALOGUE)
            self._view_product(product)
            if self._chance(0.08):
                self._record_product(product, "added_to_wishlist", 1)
            if self._chance(0.3):
                quantity = self._rng.choice((1, 1, 1, 2))
                self._cart.append(product.cart_item(quantity))
                self._record_product(product, "added_to_cart", quantity)

    def _search_or_view_list(self) -> None:
        if self._chance(0.2):
            query = self._rng.choice(("boots", "jumper", "crème", "socks"))
            self._record("searched", {"query": query}, url=f"{SHOP_URL}/search")
        elif self._chance(0.6):
            category = self._rng.choice(CATEGORIES)
            products = [product.cart_item(1) for product in CATALOGUE if product.category == category]
            shown = {"list_id": category.lower(), "category": category, "products": products}
            self._record("list_viewed", shown, url=f"{SHOP_URL}/collections/{category.lower()}")

    def _view_product(self, product: Product) -> None:
        if self._source == "app":
            self._record("screen", {"screen": "Product"})
        elif self._chance(0.5):
            self._record("page_viewed", {"title": product.name}, url=f"{SHOP_URL}/products/{product.sku}")
        self._record_product(product, "product_viewed", 1)

    def _checkout(self) -> None:
        order = order_of(self._cart, self._customer)
        url = f"{SHOP_URL}/checkout"
        self._record("checkout_started", order, url=url)
        if not self._chance(0.75):
            return
        payment = {"payment_method": self._rng.choice(("card", "paypal"))}
        self._record("payment_info_entered", order | payment, url=url)
        if self._chance(0.8):
            self._purchase(order | {"order_id": order_id(self._rng)})

    def _purchase(self, order: dict[str, Any]) -> None:
        url = f"{SHOP_URL}/checkout/thank-you"
        traits = checkout_traits(self._rng, self._customer)
        if self._source == "web" and self._chance(0.4):
            # The payment provider calls the server, which forwards the browser's page or loses it.
            is_forwarded = self._chance(0.7)
            self._record("purchased", order, url=url if is_forwarded else None, traits=traits, source="server")
        else:
            self._record("purchased", order, url=url, traits=traits)
        if self._chance(0.05):
            # A reload of the thank-you page sends the same order under another event id.
            self._record("purchased", order, url=url, traits=traits)

    def _record_product(self, product: Product, action: str, quantity: int) -> None:
        value = {"value": round(product.price * quantity, 2), "currency": self._customer.place.currency}
        self._record(action, product.cart_item(quantity) | value, url=f"{SHOP_URL}/products/{product.sku}")

    def _record(
        self,
        action: str,
        properties: dict[str, Any] | None = None,
        *,
        url: str | None = SHOP_URL,
        traits: dict[str, str] | None = None,
        source: Source | None = None,
    ) -> None:
        self._second += self._rng.uniform(2, 40)
        event = ShopEvent(
            source=source or self._source,
            action=action,
            second=self._second,
            event_id=random_uuid(self._rng),
            customer=self._customer,
            device=self._device,
            is_logged_in=self._is_logged_in,
            url=url if self._source == "web" else None,
            properties=properties or {},
            traits=traits or {},
            click_ids=self._click_ids,
        )
        self._events.append(event)

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability


def offline_order(rng: Random, customer: Customer) -> ShopEvent:
    """Create an order without a browser: by phone and paid on delivery, or uploaded by a store."""
    products = [product.cart_item(1) for product in rng.sample(CATALOGUE, rng.choice((1, 1, 2, 3)))]
    traits = customer_traits(customer) | {"phone": typed_phone(rng, customer)}
    if rng.random() < 0.4:
        traits.pop("email")
    return ShopEvent(
        source=rng.choice(("cod_webhook", "cod_webhook", "csv")),
        action="purchased",
        second=rng.uniform(0, SECONDS_AN_HOUR - 1),
        event_id=random_uuid(rng),
        customer=customer,
        properties=order_of(products, customer) | {"order_id": order_id(rng)},
        traits=traits,
    )


def back_office_event(rng: Random, customer: Customer) -> ShopEvent:
    """Create an event that the shop's own servers report between visits."""
    action = rng.choice(("identify", "order_shipped", "subscribed"))
    return ShopEvent(
        source="server",
        action=action,
        second=rng.uniform(0, SECONDS_AN_HOUR - 1),
        event_id=random_uuid(rng),
        customer=customer,
        is_logged_in=True,
        properties={"order_id": order_id(rng)} if action == "order_shipped" else {},
        traits={"email": customer.email} if action == "subscribed" else customer_traits(customer),
    )


def order_of(cart: list[dict[str, Any]], customer: Customer) -> dict[str, Any]:
    """Return value, currency and products of a cart, at most four products."""
    products = cart[:4]
    value = round(sum(product["price"] * product["quantity"] for product in products), 2)
    return {"value": value, "currency": customer.place.currency, "products": products}


def order_id(rng: Random) -> str:
    """Return a random order number."""
    return f"SH-{rng.randrange(10**10):010d}"


def customer_traits(customer: Customer) -> dict[str, str]:
    """Return all traits of a customer that the shop knows."""
    return {"email": customer.email, "phone": customer.phone, **_address(customer)}


def checkout_traits(rng: Random, customer: Customer) -> dict[str, str]:
    """Return the traits that a checkout passes to the tracker, seldom all of them."""
    traits = {}
    if rng.random() < 0.58:
        traits["email"] = typed_email(rng, customer)
    if rng.random() < 0.12:
        traits["phone"] = typed_phone(rng, customer)
    return traits | (_address(customer) if rng.random() < 0.45 else {})


def typed_email(rng: Random, customer: Customer) -> str:
    """Return the e-mail address as people type it, with capitals and blanks."""
    return f" {customer.email.title()} " if rng.random() < 0.1 else customer.email


def typed_phone(rng: Random, customer: Customer) -> str:
    """Return the phone number in one of the ways in which people write it."""
    return rng.choice((customer.phone, customer.phone.replace(" ", "-"), f"00{customer.phone[1:]}"))


def _address(customer: Customer) -> dict[str, str]:
    place = customer.place
    fields = {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "gender": customer.gender,
        "city": place.city,
        "zip": place.zip,
        "country": place.country,
    }
    return fields | ({"state": place.state} if place.state else {})
