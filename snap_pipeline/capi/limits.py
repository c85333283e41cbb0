"""The numbers that Snap sets: how old events may be, how many go into a request, for how long it tells copies apart.

Each names its source in docs/snap-api.md. The sandbox keeps numbers of its own, taken from the same page, so that a
slip here is refused there.
"""

WEB_AGE_DAYS = 7
"""Age in days up to which v3 takes WEB and MOBILE_APP events (docs/snap-api.md, section 3.8 and section 11, row 1)."""
OFFLINE_AGE_DAYS = 37
"""Age in days up to which Snap takes OFFLINE events, and v2 any event; it reports none that are older
(docs/snap-api.md, section 3.8 and section 11, row 1)."""
