"""Formats of numbers and times for people; null is a dash."""

from datetime import date, datetime, timedelta

from snap_pipeline.plurals import quantity

NOTHING = "–"


def count(value: float | None) -> str:
    """Format a count with separators of thousands: 12,345."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """Format a share of 1 as 95.5 %, rounded to 100 % or 0 % only where it is exactly that."""
    if share is None:
        return NOTHING
    if share in (0, 1):
        return f"{share:.0%}"[:-1] + " %"
    return f"{min(max(100 * share, 0.1), 99.9):.1f} %".replace(".0 %", " %")


def points(value: float | None) -> str:
    """Format a score with one digit: 5.0."""
    return NOTHING if value is None else f"{value:.1f}"


def gain(value: float) -> str:
    """Format the points that a score could gain: +2.5, and with two digits below a tenth."""
    return f"+{value:.1f}" if value >= 0.1 else f"+{max(value, 0.01):.2f}"


def duration(seconds: float | None) -> str:
    """Format seconds in the unit that leaves a small number: 240 ms, 3.5 s, 12 min, 5.1 h, 3.5 days."""
    if seconds is None:
        return NOTHING
    for unit, length, limit in (("ms", 0.001, 1), ("s", 1, 100), ("min", 60, 6_000), ("h", 3_600, 48 * 3_600)):
        if seconds < limit:
            amount = seconds / length
            return f"{amount:.1f} {unit}" if 0 < amount < 10 else f"{amount:.0f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def milliseconds(value: float | None) -> str:
    """Format milliseconds like `duration`."""
    return duration(None if value is None else value / 1_000)


def age(value: timedelta) -> str:
    """Format an age of hours or days in words: 1 hour, 6 days."""
    hours = value // timedelta(hours=1)
    return quantity(hours, "hour") if hours < 48 else quantity(hours // 24, "day")


def moment(value: datetime) -> str:
    """Format a time to the minute: 24 Nov 2026, 18:00."""
    return f"{value.day} {value:%b %Y, %H:%M}"


def day(value: date) -> str:
    """Format a day: Tue 24 Nov."""
    return f"{value:%a} {value.day} {value:%b}"
