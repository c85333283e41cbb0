"""Phone numbers: the country of the address, prefixes of its country, numbers of a wrong length (phonenumbers)."""

from typing import Any

from snap_pipeline_tests.conformance.rows import Row, sha


def phone(title: str, given: str, digits: str | None, *, workspace: str = "default", country: str | None = None) -> Row:
    """Return a row that differs in the phone number, and in the country of its address if one is given."""
    dropped = () if digits else ("phone",)
    known = {"ph": [sha(digits)]} if digits else {}
    known_v2 = {"hashed_phone_number": sha(digits)} if digits else {}
    event: dict[str, Any] = {"phone": given} | ({"country": country} if country else {})
    user = known | ({"country": sha(country.lower())} if country else {})
    v2 = known_v2 | ({"country": country} if country else {})
    return Row(title, event, user=user, v2=v2, dropped=dropped, workspace=workspace)


ROWS = [
    phone("the country of the address", "030 901820", "4930901820", country="DE"),
    phone("the country of the address comes before the workspace's", "030 901820", "4930901820", country="DE",
          workspace="britain"),
    phone("the workspace's code where the address has no country", "0844 412 4653", "448444124653",
          workspace="britain"),
    phone("an address in a country without numbers of its own", "0844 412 4653", "448444124653", country="AQ",
          workspace="britain"),
    phone("a number with its country wins over the address", "+49 30 901820", "4930901820", country="GB"),
    phone("Hungary dials 06", "06 30 123 4567", "36301234567", country="HU"),
    phone("Hungary's 06 after +36", "+36 (06) 30 123 4567", "36301234567"),
    phone("Russia dials 8", "8 (912) 345-67-89", "79123456789", country="RU"),
    phone("Russia's 7 without +", "7 912 345-67-89", "79123456789", country="RU"),
    phone("Kazakhstan dials 8", "8 701 234 56 78", "77012345678", country="KZ"),
    phone("Lithuania dials 8 or 0", "8 612 34567", "37061234567", country="LT"),
    phone("Mexico's former 1 after +52", "+52 1 55 1234 5678", "525512345678"),
    phone("Argentina's 15 is a 9 abroad", "011 15 2345-6789", "5491123456789", country="AR"),
    phone("Brazil's carrier code", "0 15 11 91234-5678", "5511912345678", country="BR"),
    phone("Italy keeps its 0", "06 1234 5678", "390612345678", country="IT"),
    phone("India: a mobile number that begins with 91", "91234 56789", "919123456789", country="IN"),
    phone("India: the code without +", "91 98765 43210", "919876543210", country="IN"),
    phone("Germany: the code without +", "49 170 1234567", "491701234567", country="DE"),
    phone("Germany: the code without +, and the 0 after it", "49 0170 1234567", "491701234567", country="DE"),
    phone("the United States dial 011 before other countries", "011 44 844 412 4653", "448444124653",
          workspace="america"),
    phone("a number of a length that its country does not have", "+33 6 12 34 56 78 9", None),
    phone("a local number without its area code", "555-1234", None, workspace="america"),
    phone("a calling code that does not exist", "+999 1234567", None),
]  # fmt: skip
