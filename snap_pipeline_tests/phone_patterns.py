"""Writes `macros/phone_patterns.sql` from the metadata of the library phonenumbers: `make phone-patterns`.

The patterns match the numbers of which the digits alone, by country, say how the library reads them. They exist for
speed: the library takes some 12 µs a number, in Python, and a pattern takes 0.1 µs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from re import _constants as op  # type: ignore[attr-defined] - no public name lists the operators of a pattern
from re import _parser as parser
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

from snap_pipeline_tests.web_server import ROOT

FILE = ROOT / "snap_pipeline" / "lake" / "sql" / "macros" / "phone_patterns.sql"
DIGITS = "0123456789"
BEGINNINGS = [first + second for first in DIGITS for second in DIGITS]
LENGTHS = range(2, 18)
"""Numbers of digits in a national number; the library knows none that are longer."""
WIDTH = 108


@dataclass(frozen=True)
class Country:
    """Rules of a country, from the library.

    Attributes:
        region: ISO 3166-1 alpha-2 in lower case.
        code: its calling code.
        is_main: the calling code alone means this country.
        lengths: possible lengths of national numbers, in this country and in the main one of its calling code.
        general: pattern of all national numbers.
        prefix: pattern of what is dialled before them inside the country, or ''.
        exit: pattern of what is dialled before international numbers.
    """

    region: str
    code: str
    is_main: bool
    lengths: frozenset[int]
    general: str
    prefix: str
    exit: str


def countries() -> list[Country]:
    """Return all countries."""
    return [_country(PhoneMetadata.metadata_for_region(region)) for region in sorted(SUPPORTED_REGIONS)]


def _country(metadata: Any) -> Country:
    main = COUNTRY_CODE_TO_REGION_CODE[metadata.country_code][0]
    lengths = [PhoneMetadata.metadata_for_region(region).general_desc.possible_length for region in (metadata.id, main)]
    return Country(
        region=metadata.id.lower(),
        code=str(metadata.country_code),
        is_main=metadata.id == main,
        lengths=frozenset(lengths[0]) & frozenset(lengths[1]),
        general=metadata.general_desc.national_number_pattern,
        prefix=metadata.national_prefix_for_parsing or "",
        exit=metadata.international_prefix,
    )


@cache
def ends(pattern: str, beginning: str, length: int) -> frozenset[int]:
    """Return where a match of the pattern may end in a number of this length that begins with these digits."""

    def is_possible(kind: Any, value: Any, position: int) -> bool:
        digits = beginning[position] if position < len(beginning) else DIGITS
        if kind is op.IN:
            return any(is_possible(*item, position) for item in value)
        if kind is op.RANGE:
            return any(value[0] <= ord(digit) <= value[1] for digit in digits)
        return kind is op.CATEGORY or chr(value) in digits

    def walk(tree: Iterable[tuple[Any, Any]], starts: set[int]) -> set[int]:
        for kind, value in tree:
            if kind in (op.LITERAL, op.IN):
                starts = {start + 1 for start in starts if start < length and is_possible(kind, value, start)}
            elif kind is op.BRANCH:
                starts = set().union(*(walk(branch, starts) for branch in value[1]))
            elif kind is op.SUBPATTERN:
                starts = walk(value[-1], starts)
            elif kind is op.MAX_REPEAT:
                least, most, repeated = value
                reached: set[int] = set()
                for count in range(min(most, length) + 1):
                    reached |= starts if count >= least else set()
                    starts = walk(repeated, starts)
                starts = reached
            elif kind is op.AT:
                starts = starts & {length}
            else:
                raise ValueError(f"unknown part of a pattern: {kind}")
        return starts

    return frozenset(walk(_parsed(pattern), {0}))


@cache
def _parsed(pattern: str) -> Any:
    return parser.parse(pattern)


def has_no_prefix(country: Country, beginning: str) -> bool:
    """Tell whether no number that begins with these digits has a national prefix."""
    return not country.prefix or not any(ends(country.prefix, beginning, length) - {0} for length in LENGTHS)


def has_trunk_digit(country: Country, beginning: str) -> bool:
    """Tell whether the first digit of each number that begins with these is a prefix.

    The library keeps a prefix that makes a national number with it, and none without it.
    """
    return (
        bool(country.prefix)
        and all(ends(country.prefix, beginning, length) == {1} for length in LENGTHS)
        and not any(
            length in ends(country.general, beginning, length)
            for length in LENGTHS
            if length - 1 in country.lengths or length > max(country.lengths)
        )
    )


def has_no_exit_code(country: Country, beginning: str) -> bool:
    """Tell whether no number that begins with these digits is dialled as an international one."""
    return beginning != "00" and not ends(country.exit, beginning, LENGTHS[-1])


def pattern_of(beginnings: Sequence[str], lengths: Iterable[int]) -> str:
    """Return the pattern of numbers with these beginnings of two digits and these lengths, or '' if there is none."""
    seconds: dict[str, str] = defaultdict(str)
    for first, second in beginnings:
        seconds[first] += second
    firsts: dict[str, str] = defaultdict(str)
    for first, second_digits in seconds.items():
        firsts[second_digits] += first
    begins = "|".join(f"{_class(first)}{_class(second)}" for second, first in firsts.items())
    counts = "|".join(
        f"\\d{{{first - 2}}}" if first == last else f"\\d{{{first - 2},{last - 2}}}" for first, last in runs(lengths)
    )
    return f"(?:{begins})(?:{counts})" if begins and counts else ""


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Return the first and last number of each run of consecutive numbers."""
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        yield found[0], found[-1]


def _class(digits: str) -> str:
    ranges = "".join(str(first) if first == last else f"{first}-{last}" for first, last in runs(map(int, digits)))
    return ranges if len(ranges) == 1 else f"[{ranges}]"


def alternatives(patterns: Iterable[tuple[str, str]], separator: str) -> list[str]:
    """Return patterns of keys, each key with its pattern after it."""
    keys: Mapping[str, list[str]] = defaultdict(list)
    for key, pattern in patterns:
        if pattern:
            keys[pattern].append(key)
    return [f"(?:{'|'.join(sorted(found))}){separator}{pattern}" for pattern, found in sorted(keys.items())]


def render() -> str:
    """Return the text of the file."""
    international, national, trunk = [], [], []
    for country in countries():
        plain = [pair for pair in BEGINNINGS if pair[0] != "0" and has_no_prefix(country, pair)]
        if country.is_main:
            international.append((country.code, pattern_of(plain, country.lengths)))
        as_written = pattern_of([pair for pair in plain if has_no_exit_code(country, pair)], country.lengths)
        prefixed = pattern_of(
            [
                pair
                for pair in BEGINNINGS
                if pair[1] != "0" and has_trunk_digit(country, pair) and has_no_exit_code(country, pair)
            ],
            [length + 1 for length in country.lengths],
        )
        for key in (country.region, *([country.code] if country.is_main else [])):
            national.append((key, as_written))
            trunk.append((key, prefixed))
    codes = [f"{country.region}{country.code}" for country in countries()]
    return TEMPLATE.format(
        international=_literal(alternatives(international, ""), "|"),
        national=_literal(alternatives(national, " "), "|"),
        trunk=_literal(alternatives(trunk, " "), "|"),
        codes=_literal(["", *codes, ""], " "),
    )


def _literal(parts: Sequence[str], separator: str) -> str:
    lines = [""]
    for number, part in enumerate(parts):
        piece = f"{separator if number else ''}{part}"
        if len(lines[-1]) + len(piece) > WIDTH:
            lines.append("")
        lines[-1] += piece
    cut = [line[start : start + WIDTH] for line in lines for start in range(0, len(line), WIDTH)]
    return "\n    || ".join(f"'{line}'" for line in cut)


TEMPLATE = """\
-- Phone numbers of which the digits alone say how the library phonenumbers reads them. Written by `make phone-patterns`
-- from the library's metadata (Apache License 2.0). Needs no other file. Do not use these patterns within a lambda,
-- which would compile them again for every chunk of rows. An origin is a country (ISO 3166-1 alpha-2, lower case) or a
-- calling code.

-- After the +: calling code and national number.
create or replace macro international_phone_pattern() as (
    {international}
);

-- Origin, blank, national number.
create or replace macro national_phone_pattern() as (
    {national}
);

-- Origin, blank, one digit that is dialled inside the country only, national number.
create or replace macro trunk_phone_pattern() as (
    {trunk}
);

create or replace macro calling_codes_of_countries() as (
    {codes}
);
"""


def main() -> None:
    """Write the file."""
    FILE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
