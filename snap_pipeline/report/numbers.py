"""Numbers and moments as people read them. Null is a dash."""

from datetime import date, datetime

NOTHING = "–"


def count(value: float | None) -> str:
    """12,345."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """95.5 %; only what is whole says 100 %, and only what is nothing says 0 %."""
    if share is None:
        return NOTHING
    if share in (0, 1):
        return f"{share:.0%}"[:-1] + " %"
    return f"{min(max(100 * share, 0.1), 99.9):.1f} %".replace(".0 %", " %")


def points(value: float | None) -> str:
    """Of a score: 5.0."""
    return NOTHING if value is None else f"{value:.1f}"


def gain(value: float) -> str:
    """Points that could be had: +2.5, and what is less than a tenth with a digit more."""
    return f"+{value:.1f}" if value >= 0.1 else f"+{max(value, 0.01):.2f}"


def duration(seconds: float | None) -> str:
    """In the unit that leaves a small number: 240 ms, 3.5 s, 12 min, 5.1 h, 3.5 days."""
    if seconds is None:
        return NOTHING
    for unit, length, limit in (("ms", 0.001, 1), ("s", 1, 100), ("min", 60, 6_000), ("h", 3_600, 48 * 3_600)):
        if seconds < limit:
            amount = seconds / length
            return f"{amount:.1f} {unit}" if 0 < amount < 10 else f"{amount:.0f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def milliseconds(value: float | None) -> str:
    """A duration in milliseconds, in the unit that suits it."""
    return duration(None if value is None else value / 1_000)


def moment(value: datetime) -> str:
    """24 Nov 2026, 18:00."""
    return f"{value.day} {value:%b %Y, %H:%M}"


def day(value: date) -> str:
    """Tue 24 Nov."""
    return f"{value:%a} {value.day} {value:%b}"
