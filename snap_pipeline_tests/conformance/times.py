"""Timestamps: offsets, epochs in any unit, and invalid times (docs/events.md; snap-api.md, section 3.2)."""

from snap_pipeline_tests.conformance.rows import NOON_MS, Row


def at(title: str, given: object, milliseconds: int) -> Row:
    """Return a row that differs in its time."""
    return Row(
        title, {"event_timestamp": given}, root={"event_time": milliseconds}, v2={"timestamp": str(milliseconds)}
    )


ROWS = [
    at("an offset east", "2026-11-20T13:00:00+01:00", NOON_MS),
    at("an offset west without a colon", "2026-11-20T04:00:00-0800", NOON_MS),
    at("half an hour's offset", "2026-11-20T17:30:00+05:30", NOON_MS),
    at("milliseconds stay", "2026-11-20T12:00:00.123Z", NOON_MS + 123),
    at("microseconds are cut to milliseconds", "2026-11-20T12:00:00.123456Z", NOON_MS + 123),
    at("without an offset it is UTC", "2026-11-20T12:00:00", NOON_MS),
    at("a blank between date and time", "2026-11-20 12:00:00+00", NOON_MS),
    at("seconds since the epoch", 1795176000, NOON_MS),
    at("seconds since the epoch as text", "1795176000", NOON_MS),
    at("seconds with a fraction", 1795176000.25, NOON_MS + 250),
    at("milliseconds since the epoch", NOON_MS, NOON_MS),
    at("microseconds since the epoch", NOON_MS * 1000, NOON_MS),
    at("nanoseconds since the epoch", NOON_MS * 1_000_000, NOON_MS),
    at("a date alone is its midnight in UTC", "2026-11-20", NOON_MS - 12 * 3_600_000),
    Row("timestamp wins over originalTimestamp and sentAt",
        {"event_timestamp": None, "timestamp": "2026-11-20T12:00:00Z", "originalTimestamp": "2026-11-20T11:00:00Z",
         "sentAt": "2026-11-20T11:30:00Z"}),
    Row("originalTimestamp where there is no timestamp",
        {"event_timestamp": None, "originalTimestamp": "2026-11-20T12:00:00Z"}),
    at("JavaScript's Date.toString()", "Fri Nov 20 2026 13:00:00 GMT+0100 (CET)", NOON_MS),
    at("RFC 2822", "Fri, 20 Nov 2026 12:00:00 GMT", NOON_MS),
    at("slashes", "2026/11/20 12:00:00", NOON_MS),
    at("basic ISO 8601", "20261120T120000Z", NOON_MS),
    at("a colon before the Z", "2026-11-20T12:00:00:Z", NOON_MS),
    at("decimals after a comma", "2026-11-20T12:00:00,500Z", NOON_MS + 500),
    Row("a day and month in an order that cannot be known", {"event_timestamp": "01/02/2026 12:00:00"},
        excluded="unreadable_timestamp"),
    Row("a time that cannot be read gives way to one that can",
        {"timestamp": "yesterday", "event_timestamp": None, "originalTimestamp": "soon",
         "sentAt": "2026-11-20T12:00:00Z"}),
    Row("no time at all", {"event_timestamp": None}, excluded="no_timestamp"),
    Row("a time that is none", {"event_timestamp": "yesterday"}, excluded="unreadable_timestamp"),
    Row("a day that does not exist", {"event_timestamp": "2026-02-30T12:00:00Z"}, excluded="unreadable_timestamp"),
    Row("more than ten minutes after the end of its hour", {"event_timestamp": "2026-11-20T13:10:01Z"},
        excluded="future_timestamp"),
    at("ten minutes after the end of its hour", "2026-11-20T13:10:00Z", NOON_MS + 70 * 60_000),
    Row("eight days old: too old for v3, not for v2 (snap-api.md, section 11, row 1)",
        {"event_timestamp": "2026-11-12T12:00:00Z"},
        root={"event_time": NOON_MS - 8 * 86_400_000}, v2={"timestamp": str(NOON_MS - 8 * 86_400_000)},
        undeliverable={"v3": "expired"}),
    Row("38 days old: too old for both", {"event_timestamp": "2026-10-13T12:00:00Z"},
        root={"event_time": NOON_MS - 38 * 86_400_000}, v2={"timestamp": str(NOON_MS - 38 * 86_400_000)},
        undeliverable={"v3": "expired", "v2": "expired"}),
    Row("offline, 30 days old: in time for both",
        {"event_timestamp": "2026-10-21T12:00:00Z", "origin": "csv"},
        root={"event_time": NOON_MS - 30 * 86_400_000, "action_source": "OFFLINE"},
        v2={"timestamp": str(NOON_MS - 30 * 86_400_000), "event_conversion_type": "OFFLINE"}),
]  # fmt: skip
