"""What happens in the sample shop: visits with a browser or the app, orders by phone, the back office.

An event here has no spelling yet; how a tracker writes it is in `trackers.py`.
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
    """Something that happened.

    Attributes:
        source: who reports it.
        action: what it is, a key of `spellings.NAMES`.
        second: when, in seconds since the visit began; since the hour began once the visit is placed in it.
        device: None where the reporter does not know it.
        is_logged_in: whether the reporter knows the customer's account.
        url: of the page.
        traits: what the customer typed in: `email`, `phone`, `first_name`, …
        click_ids: the click ids that the tracker has kept, by query parameter.
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
    """One visit while it goes on.

    Args:
        rng: decides everything.
        customer: who visits.
        device: with what; one with an app context is a visit in the app.
        is_new: whether the customer has never been here.
    """

    def __init__(self, rng: Random, customer: Customer, device: Device, *, is_new: bool) -> None:
        self._rng, self._customer, self._device, self._is_new = rng, customer, device, is_new
        self._source: Source = "app" if device.app else "web"
        self._is_logged_in = not is_new and customer.user_id is not None and self._by_chance(0.35)
        self._second = 0.0
        self._click_ids: dict[str, str] = {}
        self._cart: list[dict[str, Any]] = []
        self._events: list[ShopEvent] = []

    def take_place(self) -> list[ShopEvent]:
        """Goes from arrival to wherever it ends, at a random time of the hour; called once."""
        if self._source == "app":
            self._open_app()
        else:
            self._land()
        self._meet()
        self._browse()
        if self._cart and self._by_chance(0.45):
            self._check_out()
        if self._source == "web" and self._by_chance(0.5):
            self._did("page_hidden", url=SHOP_URL)
        start = self._rng.uniform(0, SECONDS_AN_HOUR - self._second - 1)
        return [replace(event, second=event.second + start) for event in self._events]

    def _land(self) -> None:
        # Most shops lose the click id here: it stands in the address of the first page alone.
        url = f"{SHOP_URL}/{self._rng.choice(('', 'new', 'collections/shoes', 'products/sku-301'))}"
        query = self._landing_query()
        if self._by_chance(0.7):
            self._did("session_start", url=url)
        self._did("page_viewed", {"title": "Sample Shop"}, url=f"{url}?{urlencode(query)}" if query else url)
        if self._customer.consent and self._by_chance(0.6 if self._is_new else 0.08):
            self._did("consent_update", {"choice": dict(self._customer.consent)}, url=url)

    def _landing_query(self) -> dict[str, str]:
        campaign = self._rng.choices(("snapchat", "google", "newsletter", None), (40, 20, 10, 30))[0]
        if campaign is None:
            return {}
        query = {"utm_source": campaign, "utm_medium": "paid", "utm_campaign": "autumn-26"}
        if campaign == "snapchat":
            click_id = {self._rng.choices(("ScCid", "sclid"), (85, 15))[0]: random_uuid(self._rng)}
            if self._by_chance(0.12):
                self._click_ids = click_id
            query |= click_id
        return query

    def _open_app(self) -> None:
        if self._is_new:
            self._did("app_installed", {"version": "4.2.0"})
        self._did("app_opened", {"from_background": self._by_chance(0.5)})
        self._did("screen", {"screen": "Home"})

    def _meet(self) -> None:
        if self._customer.user_id is None or self._is_logged_in:
            return
        if self._by_chance(0.45 if self._is_new else 0.3):
            self._is_logged_in = True
            traits = {"email": typed_email(self._rng, self._customer), "first_name": self._customer.first_name}
            self._did("signed_up" if self._is_new else "logged_in", {"method": "email"}, traits=traits)
            if self._by_chance(0.35):
                traits = traits | {"phone": self._customer.phone, "last_name": self._customer.last_name}
            self._did("identify", traits=traits)

    def _browse(self) -> None:
        for _ in range(self._rng.randrange(1, 4)):
            self._look_around()
            product = self._rng.choice(CATALOGUE)
            self._see(product)
            if self._by_chance(0.08):
                self._did_with(product, "added_to_wishlist", 1)
            if self._by_chance(0.3):
                quantity = self._rng.choice((1, 1, 1, 2))
                self._cart.append(product.in_cart(quantity))
                self._did_with(product, "added_to_cart", quantity)

    def _look_around(self) -> None:
        if self._by_chance(0.2):
            query = self._rng.choice(("boots", "jumper", "crème", "socks"))
            self._did("searched", {"query": query}, url=f"{SHOP_URL}/search")
        elif self._by_chance(0.6):
            category = self._rng.choice(CATEGORIES)
            products = [product.in_cart(1) for product in CATALOGUE if product.category == category]
            shown = {"list_id": category.lower(), "category": category, "products": products}
            self._did("list_viewed", shown, url=f"{SHOP_URL}/collections/{category.lower()}")

    def _see(self, product: Product) -> None:
        if self._source == "app":
            self._did("screen", {"screen": "Product"})
        elif self._by_chance(0.5):
            self._did("page_viewed", {"title": product.name}, url=f"{SHOP_URL}/products/{product.sku}")
        self._did_with(product, "product_viewed", 1)

    def _check_out(self) -> None:
        order = order_of(self._cart, self._customer)
        url = f"{SHOP_URL}/checkout"
        self._did("checkout_started", order, url=url)
        if not self._by_chance(0.75):
            return
        payment = {"payment_method": self._rng.choice(("card", "paypal"))}
        self._did("payment_info_entered", order | payment, url=url)
        if self._by_chance(0.8):
            self._purchase(order | {"order_id": order_id(self._rng)})

    def _purchase(self, order: dict[str, Any]) -> None:
        url = f"{SHOP_URL}/checkout/thank-you"
        traits = checkout_traits(self._rng, self._customer)
        if self._source == "web" and self._by_chance(0.4):
            # The payment provider calls the server, which forwards what the browser sent along, or nothing of it.
            is_forwarded = self._by_chance(0.7)
            self._did("purchased", order, url=url if is_forwarded else None, traits=traits, source="server")
        else:
            self._did("purchased", order, url=url, traits=traits)
        if self._by_chance(0.05):
            # Somebody reloads the thank-you page: the same order under another event id.
            self._did("purchased", order, url=url, traits=traits)

    def _did_with(self, product: Product, action: str, quantity: int) -> None:
        value = {"value": round(product.price * quantity, 2), "currency": self._customer.place.currency}
        self._did(action, product.in_cart(quantity) | value, url=f"{SHOP_URL}/products/{product.sku}")

    def _did(
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

    def _by_chance(self, probability: float) -> bool:
        return self._rng.random() < probability


def offline_order(rng: Random, customer: Customer) -> ShopEvent:
    """An order by phone that is paid on delivery, or one that the branch in town uploads."""
    products = [product.in_cart(1) for product in rng.sample(CATALOGUE, rng.choice((1, 1, 2, 3)))]
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
    """What the shop's own servers report of a customer between visits."""
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
    """Value, currency and products of a cart, of at most four products."""
    products = cart[:4]
    value = round(sum(product["price"] * product["quantity"] for product in products), 2)
    return {"value": value, "currency": customer.place.currency, "products": products}


def order_id(rng: Random) -> str:
    """The number of an order."""
    return f"SH-{rng.randrange(10**10):010d}"


def customer_traits(customer: Customer) -> dict[str, str]:
    """All that the shop has on file of a customer."""
    return {"email": customer.email, "phone": customer.phone, **_address(customer)}


def checkout_traits(rng: Random, customer: Customer) -> dict[str, str]:
    """What a check-out hands on to the tracker: seldom all of it."""
    traits = {}
    if rng.random() < 0.58:
        traits["email"] = typed_email(rng, customer)
    if rng.random() < 0.12:
        traits["phone"] = typed_phone(rng, customer)
    return traits | (_address(customer) if rng.random() < 0.45 else {})


def typed_email(rng: Random, customer: Customer) -> str:
    """The e-mail address as people type it, with capitals and blanks."""
    return f" {customer.email.title()} " if rng.random() < 0.1 else customer.email


def typed_phone(rng: Random, customer: Customer) -> str:
    """The phone number in one of the ways in which people write it."""
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
