"""Reasons and delivery states: each key with the words that the report, the command line and the docs show.

The SQL files decide which reason an event has, and spell the keys out. Tests compare them with these enums, so that no
reason is without words. The key is what is stored, in the lake as in JSON.
"""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A key with its words.

    Attributes:
        words: one sentence without a full stop, for readers who do not know the pipeline.
    """

    words: str

    def __new__(cls, key: str, words: str) -> Self:
        """Create the member of a key."""
        member = str.__new__(cls, key)
        member._value_ = key
        member.words = words
        return member


class Quarantine(Reason):
    """Why a line, file or event is in `quarantined_lines`."""

    MALFORMED_JSON = "malformed_json", "The line is not JSON"
    NOT_AN_OBJECT = "not_an_object", "The line is not a JSON object"
    NOT_UTF8 = "not_utf8", "The text is not UTF-8"
    LINE_TOO_LONG = "line_too_long", "The line is too long"
    UNREADABLE = "unreadable", "The line cannot be read"
    NOT_TEXT = "not_text", "The file is not text"
    DAMAGED_GZIP = "damaged_gzip", "The gzip file is damaged or cut off; lines before the damage are read"
    DAMAGED_ZSTD = "damaged_zstd", "The Zstandard file is damaged or cut off; lines before the damage are read"
    UNPROCESSABLE = "unprocessable", "The database cannot process the event; its hour was processed without it"


class Exclusion(Reason):
    """Why an event is no conversion, in the order of precedence: of several reasons, the first one counts."""

    FORGOTTEN = "forgotten", "The person asked to be forgotten"
    DUPLICATE_ID = "duplicate_id", "Received twice in its hour; one of them is kept"
    INTERNAL = "internal", "No step towards a purchase, such as sessions and identify calls"
    MAPPED_TO_NOTHING = "mapped_to_nothing", "Deliberately not sent, such as refunds and updates of an order"
    NO_EVENT_NAME = "no_event_name", "Has no event name"
    NO_TIMESTAMP = "no_timestamp", "Has no time"
    UNREADABLE_TIMESTAMP = "unreadable_timestamp", "Its time cannot be read"
    FUTURE_TIMESTAMP = "future_timestamp", "Its time is after its hour"
    UNMAPPED = "unmapped", "It has no mapping to a Snap event, and the workspace sends mapped events only"
    ORDER_NOT_COMPLETED = "order_not_completed", "The order is cancelled, refunded, pending, a draft or a test"
    CONSENT_DENIED = "consent_denied", "Advertising consent was denied"
    CONSENT_UNKNOWN = "consent_unknown", "Consent is unknown, and the workspace requires it"


class Undeliverable(Reason):
    """Why a conversion is not sent to a destination, in the order of precedence."""

    PLAINTEXT_FOUND = (
        "plaintext_found",
        "A plaintext e-mail address or phone number would go out; report the spelling",
    )
    EXPIRED = "expired", "Too old for Snap when its turn came"
    NO_APP_ID = "no_app_id", "An app event, and the destination has no Snap App ID"
    NO_STORE_APP_ID = "no_store_app_id", "An app event without its store's app id"
    INSUFFICIENT_IDENTIFIERS = (
        "insufficient_identifiers",
        "Carries no identifier by which Snap could match the person",
    )
    PURCHASE_WITHOUT_VALUE = "purchase_without_value", "A purchase without value or currency"


class DeliveryState(Reason):
    """States of a conversion at a destination."""

    DELIVERED = "delivered", "Snap accepted it"
    REJECTED = "rejected", "Snap refused it, with this reason"
    UNDELIVERABLE = "undeliverable", "Snap is known to refuse it, so it is not sent"
    DUPLICATE = "duplicate", "The same event (id and name) was delivered or rejected in another hour"
    IN_DOUBT = "in_doubt", "Sent, and the answer is not known"
    PENDING = "pending", "Not sent, or proven not to have been taken by Snap"


class NonAdditive(Reason):
    """Counts beside the delivery states, which do not add up to the payloads."""

    WITHDRAWN = "withdrawn", "Delivered, and no longer a conversion"
    EXPIRING = "expiring", "Pending, and too old for Snap within a day"


WORDS = {str(each): each.words for kind in (Quarantine, Exclusion, Undeliverable) for each in kind}
"""The words by key, of everything that can be the reason of an event. Reasons from Snap are sentences already."""


def with_words(reason: str) -> str:
    """Return a reason with its words in brackets, or as it is if it is one of Snap's."""
    return f"{reason} ({WORDS[reason]})" if reason in WORDS else reason
