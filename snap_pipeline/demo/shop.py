"""The sample shop: its products, its customers and their devices.

A customer is the same in every hour; `visits.py` has their behaviour. None of them can be a real person: addresses,
phone numbers and domains are from ranges reserved for examples (RFC 5737, RFC 3849, RFC 2606, and the numbers that
national regulators reserve for films and books).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

REGULAR_CUSTOMERS = 900
"""The number of customers who return; everybody else has one visit only."""
HOUSEHOLD_SIZE = 3
"""The number of regular customers, those with the lowest numbers, who share a tablet."""


@dataclass(frozen=True)
class Product:
    """A product of the catalogue; the price is in the buyer's currency."""

    sku: str
    name: str
    brand: str
    category: str
    price: float

    def cart_item(self, quantity: int) -> dict[str, Any]:
        """Return the product as an item of an event's `products`."""
        return {
            "product_id": self.sku,
            "name": self.name,
            "brand": self.brand,
            "category": self.category,
            "price": self.price,
            "quantity": quantity,
        }


@dataclass(frozen=True)
class Place:
    """A customer's home town; `phone` is a pattern in which `#` stands for a digit."""

    city: str
    state: str | None
    zip: str
    country: str
    currency: str
    locale: str
    phone: str


@dataclass(frozen=True)
class Device:
    """A browser, or the app on a phone.

    Attributes:
        anonymous_id: the tracker's id of the device, kept between visits.
        snap_cookie: the value of `_scid`; None if the browser blocks it.
        app: the app's part of the Segment spec's `context`; None for a browser.
    """

    anonymous_id: str
    user_agent: str
    ip_address: str
    snap_cookie: str | None = None
    app: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Customer:
    """A customer of the shop.

    Attributes:
        user_id: the id of the account; None without an account.
        consent: the choice in the consent banner; None without an answer.
        devices: all devices of the customer, the most used one first.
    """

    user_id: str | None
    first_name: str
    last_name: str
    gender: str
    email: str
    phone: str
    place: Place
    consent: Mapping[str, bool] | None
    devices: tuple[Device, ...]


CATALOGUE = (
    Product("sku-101", "Trail Runner", "Fernweh", "Shoes", 119.0),
    Product("sku-102", "Canvas Sneaker", "Acme", "Shoes", 64.9),
    Product("sku-103", "Chelsea Boot", "Södermalm", "Shoes", 149.5),
    Product("sku-104", "Beach Slide", "Acme", "Shoes", 24.0),
    Product("sku-201", "Merino Jumper", "Södermalm", "Knitwear", 89.0),
    Product("sku-202", "Cardigan", "Fernweh", "Knitwear", 74.5),
    Product("sku-203", "Cable-knit Hat", "Fernweh", "Knitwear", 22.9),
    Product("sku-301", "Rain Jacket", "Fernweh", "Jackets", 139.0),
    Product("sku-302", "Denim Jacket", "Acme", "Jackets", 79.9),
    Product("sku-303", "Puffer Vest", "Södermalm", "Jackets", 95.0),
    Product("sku-401", "Tote Bag", "Acme", "Accessories", 18.5),
    Product("sku-402", "Leather Belt", "Södermalm", "Accessories", 34.0),
    Product("sku-403", "Wool Socks", "Fernweh", "Accessories", 9.9),
    Product("sku-404", "Crème de Karité", "Maison Zoé", "Care", 14.25),
)
CATEGORIES = tuple(dict.fromkeys(product.category for product in CATALOGUE))

_PLACES = (
    Place("London", None, "SW1A 1AA", "GB", "GBP", "en-GB", "+44 7700 900###"),
    Place("Leeds", None, "LS1 4AP", "GB", "GBP", "en-GB", "+44 7700 900###"),
    Place("Los Angeles", "CA", "90001", "US", "USD", "en-US", "+1 213 555 01##"),
    Place("Austin", "TX", "78701", "US", "USD", "en-US", "+1 512 555 01##"),
    Place("Berlin", None, "10115", "DE", "EUR", "de-DE", "+49 30 23125 ###"),
    Place("Köln", None, "50667", "DE", "EUR", "de-DE", "+49 221 4710 ###"),
    Place("Lyon", None, "69001", "FR", "EUR", "fr-FR", "+33 6 39 98 ## ##"),
)
_FIRST_NAMES = (
    ("Zoë", "zoe", "f"),
    ("Łukasz", "lukasz", "m"),
    ("José", "jose", "m"),
    ("Amélie", "amelie", "f"),
    ("Jürgen", "juergen", "m"),
    ("美咲", "misaki", "f"),
    ("Olivia", "olivia", "f"),
    ("Noah", "noah", "m"),
    ("Aisha", "aisha", "f"),
    ("George", "george", "m"),
    ("Emma", "emma", "female"),
    ("Luca", "luca", "male"),
)
_LAST_NAMES = ("O'Neil", "Müller", "García", "Smith", "Dupont", "Nowak", "Khan", "Larsson-Berg", "佐藤", "Brown")
_BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
)
_TABLET = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1"
_CONSENT_CHOICES: tuple[Mapping[str, bool] | None, ...] = (
    {"analytics": True, "marketing": True},
    {"analytics": True, "marketing": False},
    {"analytics": True, "marketing": True, "ad_personalization": False},
    None,
)
_CONSENT_SHARES = (68, 7, 5, 20)


def seeded(*parts: object) -> Random:
    """Return a random generator that is the same for the same parts, on every machine."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - sample data, no secrets


def random_uuid(rng: Random) -> str:
    """Return a random version 4 UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


@lru_cache(maxsize=REGULAR_CUSTOMERS)
def regular_customer(number: int) -> Customer:
    """Return the regular customer with a number from 0 to `REGULAR_CUSTOMERS` - 1."""
    rng = seeded("regular", number)
    return _customer(rng, in_household=number < HOUSEHOLD_SIZE)


def new_customer(*seed: object) -> Customer:
    """Return a customer who has one visit only."""
    return _customer(seeded("newcomer", *seed))


@lru_cache(maxsize=1)
def shared_tablet() -> Device:
    """Return the tablet that a household shares: one anonymous id, several people."""
    return _browser(seeded("tablet"), _TABLET)


def _customer(rng: Random, *, in_household: bool = False) -> Customer:
    first_name, mailbox, gender = rng.choice(_FIRST_NAMES)
    place = rng.choice(_PLACES)
    devices: tuple[Device, ...] = (_browser(rng, rng.choice(_BROWSERS)),)
    if in_household:
        devices = (*devices, shared_tablet())
    if rng.random() < 0.25:
        devices = (*devices, _app(rng, place))
    return Customer(
        user_id=f"user-{rng.getrandbits(36):09x}" if in_household or rng.random() < 0.55 else None,
        first_name=first_name,
        last_name=rng.choice(_LAST_NAMES),
        gender=gender,
        email=f"{mailbox}.{rng.randrange(10**5)}@example.{rng.choice(('com', 'org', 'net'))}",
        phone="".join(str(rng.randrange(10)) if character == "#" else character for character in place.phone),
        place=place,
        consent=rng.choices(_CONSENT_CHOICES, _CONSENT_SHARES)[0],
        devices=devices,
    )


def _browser(rng: Random, user_agent: str) -> Device:
    return Device(
        anonymous_id=random_uuid(rng),
        user_agent=user_agent,
        ip_address=_ip_address(rng),
        snap_cookie=random_uuid(rng) if rng.random() < 0.6 else None,
    )


def _app(rng: Random, place: Place) -> Device:
    is_ios, is_trackable = rng.random() < 0.5, rng.random() < 0.6
    # Without permission iOS returns an advertising id of zeros; an Android SDK leaves it out.
    advertising_id = random_uuid(rng) if is_trackable else "00000000-0000-0000-0000-000000000000" if is_ios else None
    model, version = ("iPhone16,1", "18.1") if is_ios else ("Pixel 9", "15")
    return Device(
        anonymous_id=random_uuid(rng),
        user_agent="SampleShop/4.2 CFNetwork/1568 Darwin/24.1" if is_ios else "SampleShop/4.2 (Linux; Android 15)",
        ip_address=_ip_address(rng),
        app={
            "app": {"name": "Sample Shop", "namespace": "com.example.shop", "version": "4.2.0", "build": "420"},
            "device": {
                "id": random_uuid(rng),
                "advertisingId": advertising_id,
                "adTrackingEnabled": is_trackable,
                "model": model,
                "type": "ios" if is_ios else "android",
            },
            "os": {"name": "iOS" if is_ios else "Android", "version": version},
            "screen": {"width": 393, "height": 852, "density": 3},
            "network": {"carrier": "Example Mobile", "cellular": True, "wifi": False},
            "locale": place.locale,
        },
    )


def _ip_address(rng: Random) -> str:
    if rng.random() < 0.2:
        return f"2001:db8:{rng.getrandbits(16):x}::{rng.randrange(1, 2**16):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"
