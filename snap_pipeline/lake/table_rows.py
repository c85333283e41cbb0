"""Tables to upload: their rows, and which column is which field of an event, in any case and spelling."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.sql_files import sql

HEADER_ROWS = 20
"""The header is among so many first rows: exports begin with a title, or with `sep=;`."""

OTHER_NAMES = {
    "event_timestamp": ("event time", "date", "time", "datetime", "timestamp", "order date", "created at", "created"),
    "email": ("email address", "mail", "customer email"),
    "phone": ("phone number", "mobile", "mobile phone", "mobile number", "telephone", "tel", "cell", "cell phone"),
    "first_name": ("given name", "forename"),
    "last_name": ("surname", "family name"),
    "gender": ("sex",),
    "city": ("town",),
    "state": ("region", "province"),
    "zip": ("zip code", "postal code", "postcode"),
    "country": ("country code",),
    "external_id": ("customer id", "crm id"),
    "ip_address": ("ip",),
    "page_url": ("url",),
    "advertising_id": ("mobile advertising id", "idfa", "gaid", "aaid"),
    "ScCid": ("sc click id", "snap click id", "snapchat click id", "sclid"),
    "consent": ("marketing consent", "advertising consent", "ad consent"),
    "value": ("amount", "total", "revenue", "order value", "order total", "total price"),
    "currency": ("currency code",),
    "order_id": ("order", "order number", "order no", "transaction id"),
    "item_ids": ("item id", "product ids", "product id", "skus", "sku"),
}
"""Names of fields in the tables of shops; spaces stand for any spelling. A name that events have wins."""

NOT_OF_TABLES = frozenset({"name", "_forgotten"})
"""Keys of an event that are something else in a table: `name` is a person's there, and would go out as the event's."""


NAMES, NAME_CHARACTERS = 20, 40
"""The most names that a message lists, and how much of each."""


class UnusableFile(PipelineError):
    """A table that cannot be landed: it has no header, or cannot be opened."""


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        keys: the key of each value in a landed event.
        values: the values; None if the row was rejected.
        text: the row as it is written.
    """

    keys: Sequence[str]
    values: Sequence[str | float] | None
    text: str


@dataclass(frozen=True)
class Header:
    """A table's header.

    Attributes:
        keys: the key of each column in a landed event; unique.
        unknown: the columns that no event has, as they are written.
    """

    keys: Sequence[str]
    unknown: Sequence[str]

    @property
    def known(self) -> int:
        """The number of columns that are fields of an event."""
        return len(self.keys) - len(self.unknown)


class EventFields:
    """The fields of landed events, by any spelling of their names.

    Args:
        connection: runs SQL, which knows the keys.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = connection.execute(f"select unnest(json_keys(to_json(({sql('landed_event')}))))").fetchall()
        keys = [key for (key,) in rows if key not in NOT_OF_TABLES]
        # The snake_case spelling comes last, and so wins.
        self._by_spelling = {
            **{_folded(name): key for key, names in OTHER_NAMES.items() for name in (key, *names)},
            **{_folded(key): key for key in sorted(keys, key=str.islower)},
        }
        self._keys = frozenset(keys)

    def header(self, names: Iterable[str]) -> Header:
        """Return the header that a row stands for. Of two columns for one field, the first one is read."""
        keys: dict[str, str] = {}
        unknown = []
        for number, name in enumerate(map(str.strip, names), 1):
            field = name if name in self._keys else self._by_spelling.get(_folded(name))
            if field is None or field.lower() in keys:
                unknown.append(name or f"column {number}")
                field = f"{name or 'column'}_{number}" if not name or name.lower() in keys else name
                field = f"{field}_{number}" if field in NOT_OF_TABLES or field.lower() in keys else field
            keys[field.lower()] = field
        return Header(list(keys.values()), unknown)


def listed(names: Sequence[str]) -> str:
    """Return names of a file for a message: the first ones, each at a moderate length."""
    first = [name if len(name) <= NAME_CHARACTERS else f"{name[:NAME_CHARACTERS]}…" for name in names[:NAMES]]
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(json.dumps(name, ensure_ascii=False) for name in first) + more


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
