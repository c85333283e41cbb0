"""Numbers with their nouns: "1 event", "2,000 events"."""


def quantity(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1; the noun forms it with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
