"""Snap's limits: size of requests, rate of requests, age of events, and the windows of deduplication.

Each names its source in docs/snap-api.md, or, where Snap documents nothing, the assumption. The sandbox has its own
copies of these numbers, taken from the same page, so that it refuses what a mistake here would send.
"""

from datetime import timedelta

MAXIMUM_EVENTS = 2_000
"""Events of one request; with more, Snap refuses the whole request (snap-api.md, section 3.8)."""

MAXIMUM_BYTES = 4_000_000
"""Bytes of a request's body. Snap documents no limit (snap-api.md, sections 3.8 and 12, row 3); other programs
cut at 2 MB and at 8 MiB. Too much costs an answer of 413, after which the batch is halved."""

REQUESTS_PER_MINUTE = 1_000
"""Requests a minute of one access token, unless its destination sets another limit. Accounts start with 10 a second,
and Snap answers 429 beyond that (snap-api.md, sections 3.8 and 11, row 12)."""

MAXIMUM_REQUESTS_PER_MINUTE = 60_000
"""Requests a minute beyond which Snap asks clients to stop: 1,000 a second (snap-api.md, section 3.8)."""

WEB_AGE_DAYS = 7
"""Age in days up to which v3 takes WEB and MOBILE_APP events (snap-api.md, sections 3.8 and 11, row 1)."""

OFFLINE_AGE_DAYS = 37
"""Age in days up to which Snap takes OFFLINE events, and v2 any event; it reports none that are older
(snap-api.md, sections 3.8 and 11, row 1)."""

DEDUPLICATION_WINDOW = timedelta(hours=48)
"""The time within which an event that is sent again under the same id and name counts once (snap-api.md, section 5)."""

ORDER_WINDOW = timedelta(days=30)
"""The time within which purchases of one order id count once, whatever their event ids (snap-api.md, section 5)."""
