"""The baseline: the same job in pandas, as a good engineer would write it, from lines to payloads in one process.

orjson parses, list comprehensions pull fields out, pandas holds the columns; each distinct value is normalized and
hashed once. It does what the generated traffic needs and no more: one workspace, tracked web events, no consent, no
apps. So it does less than the pipeline does, which has to look for all that in every event.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from benchmarks.homes import HOUR, open_home

LINES_AT_ONCE = 100_000
EVENT_NAMES = {
    "Page Viewed": "PAGE_VIEW",
    "Product Viewed": "VIEW_CONTENT",
    "Product Added": "ADD_CART",
    "Product List Viewed": "LIST_VIEW",
    "Checkout Started": "START_CHECKOUT",
    "Order Completed": "PURCHASE",
}
PUNCTUATION = re.compile(r"[^\w\s]|_")
EMAIL = re.compile(r"[^\s@]+@(?:[^\s@.]+\.)+[^\s@.]{2,}")
IDENTIFYING = re.compile(r"e-?mail|phone|tel|mobile|msisdn|whatsapp|@|%40|%2[bB]")
GENDERS = {"female": "f", "f": "f", "male": "m", "m": "m"}


def run(home: str) -> Mapping[str, Any]:
    """Write `payloads.ndjson` into the home."""
    (file,) = open_home(home).landing.folder("default", HOUR).glob("*.ndjson")
    seen: set[str] = set()
    with file.open("rb") as lines:
        frames = [payloads(chunk, seen) for chunk in chunks(lines)]
    everything = pd.concat(frames, ignore_index=True)
    write(everything, Path(home) / "payloads.ndjson")
    return {"payloads": len(everything)}


def chunks(lines: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Yield parsed events, a limited number at once, so that memory does not grow with the hour."""
    lines = iter(lines)
    while chunk := list(islice(lines, LINES_AT_ONCE)):
        yield [orjson.loads(line) for line in chunk]


def payloads(events: list[dict[str, Any]], seen: set[str]) -> pd.DataFrame:
    """Return the payload columns of parsed events; an id that was seen before is left out."""
    events = [event for event in events if event["messageId"] not in seen]
    seen.update(event["messageId"] for event in events)
    contexts = [event["context"] for event in events]
    traits = [context["traits"] or {} for context in contexts]
    addresses = [each.get("address") or {} for each in traits]
    properties = [event["properties"] for event in events]
    items = [contents(each) for each in properties]
    item_ids = [list(dict.fromkeys(item["id"] for item in each)) if each else None for each in items]
    urls = [context["page"]["url"] for context in contexts]
    people = pd.DataFrame(
        {
            "email": [each.get("email") for each in traits],
            "phone": [each.get("phone") for each in traits],
            "first": [each.get("firstName") for each in traits],
            "last": [each.get("lastName") for each in traits],
            "gender": [each.get("gender") for each in traits],
            "city": [each.get("city") for each in addresses],
            "state": [each.get("state") for each in addresses],
            "zip": [each.get("postalCode") for each in addresses],
            "country": [each.get("country") for each in addresses],
            "ip": [context["ip"] for context in contexts],
        }
    )
    return pd.DataFrame(
        {
            "workspace": "default",
            "event_id": [event["messageId"] for event in events],
            "event_name": pd.Series([event["event"] for event in events]).map(EVENT_NAMES),
            "conversion_type": "WEB",
            "event_time": pd.to_datetime([event["timestamp"] for event in events], utc=True).tz_localize(None),
            "event_source_url": list(map(plain_url, urls)),
            "limited_use": False,
            "em": listed(hashed(people["email"], email)),
            "ph": listed(hashed(people["phone"], phone)),
            "fn": hashed(people["first"], name),
            "ln": hashed(people["last"], name),
            "ge": hashed(people["gender"], lambda text: GENDERS.get(text.strip().lower())),
            "ct": hashed(people["city"], lambda text: name(text).replace(" ", "")),
            "st": hashed(people["state"], lambda text: text.strip().lower()),
            "zp": hashed(people["zip"], lambda text: text.strip().lower()[:5]),
            "country": hashed(people["country"], lambda text: text.strip().lower()),
            "external_id": [[event["userId"]] if event["userId"] else None for event in events],
            "client_ip_address": people["ip"],
            "client_user_agent": [context["userAgent"] for context in contexts],
            "sc_click_id": [click_id(url) for url in urls],
            "sc_cookie1": [event["sc_cookie1"] for event in events],
            "first_name_v2": hashed(people["first"], composed),
            "last_name_v2": hashed(people["last"], composed),
            "city_v2": hashed(people["city"], composed),
            "hashed_ip_address": hashed(people["ip"], str),
            "value": [each["revenue"] for each in properties],
            "currency": [each["currency"] for each in properties],
            "order_id": [each["order_id"] for each in properties],
            "contents": items,
            "content_ids": item_ids,
            "content_category": [each["category"] for each in properties],
            "num_items": pd.array([count(each) for each in items], dtype="Int64"),
            "brands": [brands(each) for each in items],
            "country_code": people["country"].str.strip().str.upper(),
            "region_code": people["state"].str.strip().str.upper(),
        }
    )


def hashed(column: pd.Series, normalize: Callable[[str], str | None]) -> pd.Series:
    """Hash each normalized value with SHA-256, each distinct value once."""
    normalized = {text: normalize(text) for text in column.dropna().unique()}
    digests = {text: hashlib.sha256(value.encode()).hexdigest() for text, value in normalized.items() if value}
    return column.map(digests)


def listed(column: pd.Series) -> list[list[str] | None]:
    """Wrap each value in a list."""
    return [[value] if isinstance(value, str) else None for value in column]


def composed(text: str) -> str:
    """Trim a text, and return it in lower case and Unicode's composed form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower()).strip()


def email(text: str) -> str | None:
    """Normalize an e-mail address; None if it is invalid."""
    address = composed(text)
    return address if EMAIL.fullmatch(address) else None


def phone(text: str) -> str | None:
    """Normalize a phone number to its digits with the country code."""
    digits = re.sub(r"\D", "", text).lstrip("0")
    return digits if 7 <= len(digits) <= 15 else None


def name(text: str) -> str:
    """Normalize a name, without punctuation."""
    return " ".join(composed(PUNCTUATION.sub("", text)).split())


def plain_url(url: str) -> str | None:
    """Return an address without its fragment; None if it may hold an identifier."""
    return None if IDENTIFYING.search(url) else url.partition("#")[0]


def click_id(url: str) -> str | None:
    """Return Snap's click id from the landing page's query."""
    found = re.search(r"(?i)[?&]sccid=([^&#]+)", url) or re.search(r"(?i)[?&]sclid=([^&#]+)", url)
    return found[1] if found else None


def contents(properties: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the items of an event: its products, or the one that it is about."""
    products = properties["products"]
    if products:
        return [
            {"id": p["product_id"], "quantity": p["quantity"], "item_price": p["price"], "brand": p["brand"]}
            for p in products
        ]
    return [{"id": properties["product_id"]}] if properties["product_id"] else None


def count(items: list[dict[str, Any]] | None) -> int | None:
    """Count all items."""
    return sum(item.get("quantity", 1) for item in items) if items else None


def brands(items: list[dict[str, Any]] | None) -> list[str] | None:
    """Return the distinct brands."""
    return list(dict.fromkeys(item["brand"] for item in items if "brand" in item)) or None if items else None


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write one JSON object a line."""
    frame["event_time"] = frame["event_time"].dt.strftime("%Y-%m-%d %H:%M:%S.%f")
    columns = list(frame.columns)
    with path.open("wb") as stream:
        for start in range(0, len(frame), LINES_AT_ONCE):
            part = frame.iloc[start : start + LINES_AT_ONCE].astype(object)
            part = part.where(part.notna(), None)
            rows = zip(*(part[column] for column in columns), strict=True)
            stream.write(
                b"".join(
                    orjson.dumps(dict(zip(columns, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows
                )
            )
