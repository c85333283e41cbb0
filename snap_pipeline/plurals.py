"""Numbers with their nouns and verbs: "1 event is", "2,000 events are"."""


def quantity(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1; the noun forms it with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def agreeing(number: int, singular: str, plural: str) -> str:
    """Return the form of a verb or pronoun that agrees with a number: "is" with 1, "are" with all others."""
    return singular if number == 1 else plural
