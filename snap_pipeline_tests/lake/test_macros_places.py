"""Cities, states, postal codes and countries."""

import hashlib

import pytest

from snap_pipeline_tests.lake.macros import call


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("macro", "arguments", "digest"),
    [
        ("hashed_city", ("Los Angeles",), "8760663bb25fa79f35c2c14fb9c6bcbe444a8c938491cd24fe684a7056c9dbc4"),
        ("hashed_city_v2", ("Los Angeles",), "9f2608067816e38c85edfb0c3985feff32def8b5dc17bb522ffc2e877e9b386b"),
        ("hashed_state", ("CA", "us"), "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126"),
        ("hashed_country", ("US",), "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
        ("hashed_zip", ("00000", "us"), "e7042ac7d09c7bc41c8cfa5749e41858f6980643bc0db1a83cc793d3e24d3f77"),
        ("hashed_zip", ("00000", None), "e7042ac7d09c7bc41c8cfa5749e41858f6980643bc0db1a83cc793d3e24d3f77"),
        ("hashed_gender", ("male",), "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"),
    ],
)
def test_the_worked_examples_of_the_reference(macro: str, arguments: tuple[str | None, ...], digest: str) -> None:
    assert call(macro, *arguments) == digest


@pytest.mark.parametrize(
    ("given_text", "city"),
    [
        ("São Paulo", "sãopaulo"),
        ("Saint-Étienne", "saintétienne"),
        ("St. John's", "stjohns"),
        ("Москва", "москва"),
        ("東京", "東京"),
        ("12345", None),
        ("undefined", None),
    ],
)
def test_a_city_loses_spaces_and_punctuation(given_text: str, city: str | None) -> None:
    assert call("normalized_city", given_text) == city


@pytest.mark.parametrize(
    ("given_text", "country", "state"),
    [
        ("California", "us", "ca"),
        ("new york", "US", "ny"),
        ("D.C.", "us", "dc"),
        ("District of Columbia", "us", "dc"),
        ("US-TX", "us", "tx"),
        ("Bavaria", "us", None),
        ("California", None, "california"),
        ("Bayern", "de", "bayern"),
        ("DE-BY", "de", "by"),
        ("Île-de-France", "fr", "îledefrance"),
        ("Nouvelle Aquitaine 75", "fr", "nouvelleaquitaine"),
        ("13", "jp", None),
        ("null", "us", None),
    ],
)
def test_a_state_is_two_letters_in_the_us_and_letters_elsewhere(
    given_text: str, country: str | None, state: str | None
) -> None:
    assert call("normalized_state", given_text, country) == state


@pytest.mark.parametrize(
    ("given_text", "country", "code"),
    [
        ("90001-1234", "us", "90001"),
        ("900011234", "us", "90001"),
        ("9000", "us", None),
        ("SW1A 1AA", "gb", "sw1a1"),
        ("m1 1ae", "gb", "m11"),
        ("SW1A 1", "gb", "sw1a1"),
        ("80-331", "pl", "80331"),
        ("K1A 0B1", "ca", "k1a0b1"),
        ("D02 X285", "ie", "d02x285"),
        ("100-0001", None, "1000001"),
        ("unknown", None, None),
        ("n/a", "gb", None),
    ],
)
def test_postal_codes_are_cut_as_their_country_wants(given_text: str, country: str | None, code: str | None) -> None:
    assert call("normalized_zip", given_text, country) == code


@pytest.mark.parametrize(
    ("given_text", "code"),
    [
        ("US", "us"),
        ("usa", "us"),
        ("U.S.A.", "us"),
        ("United States of America", "us"),
        ("the united states", "us"),
        ("UK", "gb"),
        ("Great Britain", "gb"),
        ("Deutschland", "de"),
        ("DEU", "de"),
        ("The Netherlands", "nl"),
        ("Côte d'Ivoire", "ci"),
        ("Trinidad & Tobago", "tt"),
        ("Bosnia and Herzegovina", "ba"),
        ("Korea, Republic of", "kr"),
        ("Türkiye", "tr"),
        ("Österreich", "at"),
        ("السعودية", "sa"),
        ("Україна", "ua"),
        ("日本", "jp"),
        ("XX", None),
        ("Atlantis", None),
        ("null", None),
        (None, None),
    ],
)
def test_countries_become_their_alpha_2_code(given_text: str | None, code: str | None) -> None:
    assert call("country_code", given_text) == code
