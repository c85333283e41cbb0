"""IP addresses: canonical spelling, public ones only."""

import hashlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snap_pipeline_tests.lake.macros import call, call_each, many_rows, texts


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        (" 8.8.8.8 ", "8.8.8.8"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8:0001:0000:0000:0ab9:C0A8:0102", "2001:db8:1::ab9:c0a8:102"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::ffff:102:304", "1.2.3.4"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7", "198.51.100.7"),
        ("203.0.113.9", "203.0.113.9"),
        ("fc::1", "fc::1"),
    ],
)
def test_public_addresses_come_in_their_canonical_spelling(given_text: str, address: str) -> None:
    assert call("ip_address", given_text) == address


@pytest.mark.parametrize(
    "given_text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "127.0.0.1",
        "169.254.1.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "[::1]:80",
        "fe80::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "2001:db8::g",
        "unknown",
        "null",
        "",
        None,
    ],
)
def test_addresses_that_say_nothing_about_a_person_are_left_out(given_text: str | None) -> None:
    assert call("ip_address", given_text) is None


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("203.0.113.9, 8.8.8.8", "203.0.113.9"),
        ("10.0.0.1,unknown, 203.0.113.9:4711 , 8.8.8.8", "203.0.113.9"),
        ("fe80::1, [2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1, 192.168.0.1", None),
        (",", None),
    ],
)
def test_the_first_public_address_of_a_list_counts(given_text: str, address: str | None) -> None:
    assert call("ip_address", given_text) == address


def test_the_worked_example_of_the_reference() -> None:
    digest = "19e36255972107d42b8cecb77ef5622e842e8a50778a6ed8dd1ce94732daca9e"
    assert hashlib.sha256(call("canonical_ip", "   0.0.0.0  ").encode()).hexdigest() == digest


@many_rows
@given(st.lists(st.ip_addresses(), max_size=20))
def test_every_address_is_spelled_as_the_standard_library_spells_it(
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    spellings = [str(getattr(address, "ipv4_mapped", None) or address) for address in addresses]
    assert call_each("canonical_ip(text)", [address.exploded.upper() for address in addresses]) == spellings
    assert call_each("canonical_ip(text)", [str(address) for address in addresses]) == spellings


@many_rows
@given(texts)
def test_any_other_text_is_no_address(values: list[str | None]) -> None:
    for address in call_each("ip_address(text)", values):
        assert address is None or ipaddress.ip_address(address)
