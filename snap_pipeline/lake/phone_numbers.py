"""Phone numbers as the library phonenumbers reads them, for the SQL macros of `macros/phones.sql`."""

import re
from functools import cache, lru_cache

import duckdb
from duckdb.func import FunctionNullHandling
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberType,
    ValidationResult,
    example_number_for_type,
    is_possible_number_with_reason,
    is_valid_number,
    national_significant_number,
    parse,
)

FORMER_PREFIXES = {52: re.compile("(?:0[12]|04[45]|1)(?=[0-9]{10}$)")}
"""By calling code, prefixes that the library no longer knows, but shops' databases do (Mexico gave them up in 2019)."""

CACHE_SIZE = 65_536
"""Numbers of which the digits are kept: the steps of an hour ask for the same ones, at some 12 µs each."""

SHORTEST, LONGEST = 7, 15
"""Digits of a number of which the country is not known."""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `phone_digits(dialled, origin)` known to the SQL of a database."""
    connection.create_function(
        "phone_digits",
        phone_digits,
        ["VARCHAR", "VARCHAR"],
        "VARCHAR",
        null_handling=FunctionNullHandling.SPECIAL,
    )


@lru_cache(CACHE_SIZE)
def phone_digits(dialled: str | None, origin: str | None) -> str | None:
    """Return a number as Snap hashes it: digits, the calling code first (docs/snap-api.md, section 3.4).

    Args:
        dialled: digits, with + before them if they begin with a calling code.
        origin: a country (ISO 3166-1 alpha-2, lower case) or a calling code, which is meant where the number has none.
            Without it, such numbers keep their digits.

    Returns:
        the digits; None where the country has no number of that length.
    """
    if not dialled or "+" in dialled[1:]:
        return None
    if dialled.startswith(("+", "00")) and (digits := _digits("+" + dialled.lstrip("+0"), None)):
        return digits
    region = _region(origin)
    if region is not None and _is_international_without_plus(dialled, region):
        return _digits("+" + dialled, None)
    if region is not None:
        # People may also dial something else before international numbers, such as 011 in the United States.
        return _digits(dialled, region)
    is_national = not dialled.startswith(("+", "00"))
    return dialled if is_national and SHORTEST <= len(dialled) <= LONGEST else None


def _region(origin: str | None) -> str | None:
    if origin is None:
        return None
    region = COUNTRY_CODE_TO_REGION_CODE.get(int(origin), ("",))[0] if origin.isdigit() else origin.upper()
    return region if region in SUPPORTED_REGIONS else None


def _is_international_without_plus(dialled: str, region: str) -> bool:
    """Tell whether a number begins with its calling code, where national ones are written with a prefix before them.

    The library takes 49 170 1234567 for a German number with the area code 491, since it asks for no prefix.
    """
    metadata = PhoneMetadata.metadata_for_region(region)
    if not metadata or not metadata.national_prefix or not dialled.startswith(str(metadata.country_code)):
        return False
    try:
        return is_valid_number(parse("+" + dialled, None))
    except NumberParseException:
        return False


def _digits(text: str, region: str | None) -> str | None:
    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    calling_code = number.country_code or 0
    national = national_significant_number(number)
    if calling_code in FORMER_PREFIXES:
        national = FORMER_PREFIXES[calling_code].sub("", national)
    if national.startswith("0") and not (_may_begin_with_zero(calling_code) or _has_pattern(calling_code, national)):
        # Zeros are never sent before a number, unless they are part of it, as in Italy.
        national = national.lstrip("0")
    return f"{calling_code}{national}" if _has_possible_length(calling_code, national) else None


def _has_possible_length(calling_code: int, national: str) -> bool:
    zeros = len(national) - len(national.lstrip("0"))
    number = PhoneNumber(
        country_code=calling_code,
        national_number=int(national or 0),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros or None,
    )
    return is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


@cache
def _may_begin_with_zero(calling_code: int) -> bool:
    """Tell whether zeros are part of a country's usual numbers, by those that the library gives as examples."""
    region = COUNTRY_CODE_TO_REGION_CODE[calling_code][0]
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    examples = (example_number_for_type(region, kind) for kind in kinds)
    return any(example is not None and example.italian_leading_zero for example in examples)


def _has_pattern(calling_code: int, national: str) -> bool:
    """Tell whether a country's national numbers look like this one."""
    region = COUNTRY_CODE_TO_REGION_CODE[calling_code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    description = metadata.general_desc if metadata else None
    pattern = description.national_number_pattern if description else None
    return bool(pattern and re.fullmatch(pattern, national))
