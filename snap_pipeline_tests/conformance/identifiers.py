"""E-mail, phone, names, gender, external ids, IP addresses and ids of devices (snap-api.md, sections 3.4 and 8)."""

from snap_pipeline_tests.conformance.rows import Row, sha

EMAIL = sha("person@example.com")
BRITISH = sha("448444124653")
SDK_AMERICAN = "34053b331d29734f081bf74160cd33bc2f621b3b6f8ec991500bebf49f14e014"
SDK_BRITISH = "19f25a18866af88fc60189c3af85010a0b971cf976053787fe21e004538c20a0"


def email(title: str, given: object, *hashes: str, dropped: tuple[str, ...] = ()) -> Row:
    """Return a row that differs in e-mail alone."""
    user = {"em": list(hashes)} if hashes else {}
    v2 = {"hashed_email": hashes[0]} if hashes else {}
    return Row(title, {"email": given}, user=user, v2=v2, dropped=dropped)


def phone(title: str, given: object, *hashes: str, dropped: tuple[str, ...] = (), workspace: str = "default") -> Row:
    """Return a row that differs in phone alone."""
    user = {"ph": list(hashes)} if hashes else {}
    v2 = {"hashed_phone_number": hashes[0]} if hashes else {}
    return Row(title, {"phone": given}, user=user, v2=v2, dropped=dropped, workspace=workspace)


def address(title: str, given: object, plain: str | None, *, dropped: bool = False) -> Row:
    """Return a row that differs in IP address; without one, an e-mail keeps the event deliverable."""
    return Row(
        title,
        {"ip_address": given, "email": "person@example.com"},
        user={"client_ip_address": plain, "em": [EMAIL]},
        v2={"hashed_ip_address": sha(plain) if plain else None, "hashed_email": EMAIL},
        dropped=("ip_address",) if dropped else (),
    )


ROWS = [
    # Worked examples of docs/snap-api.md, section 3.4.
    email("D-PAR: e-mail", "Person@Example.com", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"),
    email(
        "S-PY test: blanks around an e-mail",
        "    test123@example.com  ",
        "20b82517b67108ed3a171539dc5dd1da605660249b02f38dd70f572a545c7d18",
    ),
    phone("D-PAR: phone", "+44 844 412 4653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
    phone("S-PY test: hyphens", "+44-447-234-2344", SDK_BRITISH),
    phone("S-PY test: 00 before the country", "0044-447-234-2344", SDK_BRITISH),
    phone("S-PY test: trunk zero after the country, hyphens", "+44-0447-234-2344", SDK_BRITISH),
    phone("S-PY test: trunk zero after the country, blanks", "+44 0447 234 2344", SDK_BRITISH),
    phone("S-PY test: +1 with brackets", "+1-(447) 234 2344", SDK_AMERICAN),
    phone("S-PY test: country code 1 when there is none", "447-234-2344", SDK_AMERICAN, workspace="america"),
    phone("S-PY test: the same with brackets", "(447)-234-2344", SDK_AMERICAN, workspace="america"),
    Row(
        "D-PAR: names",
        {"first_name": "John", "last_name": "Raphaël"},
        user={
            "fn": "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a",
            "ln": "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7",
        },
        v2={
            "hashed_first_name_sha": "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a",
            "hashed_last_name_sha": "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7",
        },
    ),
    Row(
        "S-PY test: the address 0.0.0.0 is nobody's, so v2's example hash is not sent",
        {"ip_address": "   0.0.0.0  ", "email": "person@example.com"},
        user={"client_ip_address": None, "em": [EMAIL]},
        v2={"hashed_ip_address": None, "hashed_email": EMAIL},
        dropped=("ip_address",),
    ),
    # E-mail
    email(
        "e-mail: no-break space, zero-width space and tab are white space", "\u00a0\u200bPerson@example.com\t", EMAIL
    ),
    email("e-mail: composed and decomposed letters hash alike", "jose\u0301@example.com", sha("jos\u00e9@example.com")),
    email("e-mail: letters of another script", "\u7528\u6237@example.com", sha("\u7528\u6237@example.com")),
    email("e-mail: mailto:", "mailto:Person@Example.com", EMAIL),
    email("e-mail: a plus tag stays", "person+shop@example.com", sha("person+shop@example.com")),
    email("e-mail: already hashed, lower case", EMAIL, EMAIL),
    email("e-mail: already hashed, upper case", EMAIL.upper(), EMAIL),
    email("e-mail: the hash of nothing is nothing", sha(""), dropped=("email",)),
    email("e-mail: an MD5 digest is dropped and counted", "d41d8cd98f00b204e9800998ecf8427e", dropped=("email",)),
    email(
        "e-mail: a SHA-1 digest is dropped and counted", "da39a3ee5e6b4b0d3255bfef95601890afd80709", dropped=("email",)
    ),
    email("e-mail: no address is dropped and counted", "not an e-mail", dropped=("email",)),
    email("e-mail: the word null is no value", "null"),
    email("e-mail: an empty string is no value", ""),
    email("e-mail: two stay two", ["a@example.com", "B@example.com"], sha("a@example.com"), sha("b@example.com")),
    email("e-mail: one of two is dropped", ["a@example.com", "nobody"], sha("a@example.com"), dropped=("email",)),
    # Phone
    phone("phone: n/a does not sink an event with address and browser", "n/a"),
    phone("phone: a word is dropped and counted", "unknown", dropped=("phone",)),
    phone("phone: +44 (0)", "+44 (0) 844 412 4653", BRITISH),
    phone("phone: an extension", "+44 844 412 4653 ext. 12", BRITISH),
    phone("phone: letters around", "tel: +44 844 412 4653", BRITISH),
    phone("phone: a number of JSON", 448444124653, BRITISH),
    phone("phone: without a country it is hashed as its digits", "0844 412 4653", sha("08444124653")),
    phone("phone: without a country, the workspace's code", "0844 412 4653", BRITISH, workspace="britain"),
    phone(
        "phone: with a country, the workspace's code changes nothing",
        "+49 30 901820",
        sha("4930901820"),
        workspace="britain",
    ),
    phone("phone: already hashed", BRITISH.upper(), BRITISH),
    phone("phone: two stay two", ["+448444124653", "+4930901820"], BRITISH, sha("4930901820")),
    phone("phone: too short", "12345", dropped=("phone",)),
    phone("phone: full-width digits", "＋４４ ８４４ ４１２ ４６５３", BRITISH),
    # Names and gender
    Row(
        "names: apostrophe and hyphen go in v3 and stay in v2",
        {"first_name": "Anne-Marie", "last_name": "O'Neil"},
        user={"fn": sha("annemarie"), "ln": sha("oneil")},
        v2={"hashed_first_name_sha": sha("anne-marie"), "hashed_last_name_sha": sha("o'neil")},
    ),
    Row(
        "names: letters of another script are hashed as UTF-8",
        {"first_name": "\u0645\u0631\u064a\u0645", "last_name": "\u5c71\u7530"},
        user={"fn": sha("\u0645\u0631\u064a\u0645"), "ln": sha("\u5c71\u7530")},
        v2={"hashed_first_name_sha": sha("\u0645\u0631\u064a\u0645"), "hashed_last_name_sha": sha("\u5c71\u7530")},
    ),
    Row("names: undefined is no value", {"first_name": "undefined", "last_name": " "}),
    Row("gender: Female is f", {"gender": "Female"}, user={"ge": sha("f")}),
    Row(
        "gender: male is m",
        {"gender": "male"},
        user={"ge": "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"},
    ),
    Row("gender: other words are no gender of Snap's", {"gender": "diverse"}, dropped=("gender",)),
    Row(
        "names and places: MD5 and SHA-1 digests are dropped and counted",
        {
            "first_name": "d41d8cd98f00b204e9800998ecf8427e",
            "last_name": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "city": "d41d8cd98f00b204e9800998ecf8427e",
            "state": "d41d8cd98f00b204e9800998ecf8427e",
            "zip": "d41d8cd98f00b204e9800998ecf8427e",
            "country": "d41d8cd98f00b204e9800998ecf8427e",
        },
        dropped=("first_name", "last_name", "city", "state", "zip", "country"),
    ),
    # External id
    Row("external id: as it is, in v3 alone", {"external_id": "Cust-42"}, user={"external_id": ["Cust-42"]}),
    Row("external id: several", {"external_id": ["a", "b"]}, user={"external_id": ["a", "b"]}),
    Row(
        "external id: an e-mail address is hashed as one",
        {"external_id": "Person@Example.com"},
        user={"external_id": [EMAIL]},
    ),
    Row("external id: the user id stands in for it", {"user_id": "u-7"}, user={"external_id": ["u-7"]}),
    Row(
        "external id: a user id that is an e-mail address",
        {"user_id": "Person@Example.com"},
        user={"external_id": [EMAIL]},
    ),
    Row(
        "external id: a phone number with its country is hashed as one",
        {"external_id": ["+44 844 412 4653", "tel:+44-844-412-4653", "+1"]},
        user={"external_id": [BRITISH]},
    ),
    Row(
        "external id: a user id that is a phone number",
        {"user_id": "+448444124653"},
        user={"external_id": [BRITISH]},
    ),
    Row(
        "external id: a user id of digits that are the event's phone number too",
        {"user_id": "448444124653", "phone": "+44 844 412 4653"},
        user={"external_id": [BRITISH], "ph": [BRITISH]},
        v2={"hashed_phone_number": BRITISH},
    ),
    Row(
        "external id: digits alone are a number of the shop's own",
        {"user_id": "448444124653", "phone": "+4930901820"},
        user={"external_id": ["448444124653"], "ph": [sha("4930901820")]},
        v2={"hashed_phone_number": sha("4930901820")},
    ),
    Row(
        "external id: an e-mail address, percent-encoded",
        {"user_id": "Person%40Example.com"},
        user={"external_id": [EMAIL]},
    ),
    Row(
        "external id: a phone number within other text",
        {"user_id": "user:+448444124653"},
        user={"external_id": [sha("user:+448444124653")]},
    ),
    Row("external id: a number of JSON", {"external_id": 42}, user={"external_id": ["42"]}),
    # Network
    address("address: IPv6 in its short form", "2001:DB8::7", "2001:db8::7"),
    address("address: a port goes", "198.51.100.9:51234", "198.51.100.9"),
    address("address: IPv6 in brackets with a port", "[2001:db8::7]:443", "2001:db8::7"),
    address("address: the first public one of X-Forwarded-For", "10.0.0.3, 203.0.113.5, 198.51.100.1", "203.0.113.5"),
    address("address: a private one is dropped and counted", "192.168.1.4", None, dropped=True),
    address("address: loopback is dropped and counted", "127.0.0.1", None, dropped=True),
    address("address: no address is dropped and counted", "999.1.1.1", None, dropped=True),
    address("address: unknown in a forwarded list", "unknown, 203.0.113.5", "203.0.113.5"),
    Row(
        "address: a digest passes through in v2; v3 cannot use it (snap-api.md, section 6)",
        {"ip_address": sha("203.0.113.5")},
        user={"client_ip_address": None},
        v2={"hashed_ip_address": sha("203.0.113.5")},
        undeliverable={"v3": "insufficient_identifiers"},
        dropped=("ip_address",),
    ),
    # Cookie
    Row("cookie: _scid as it is", {"sc_cookie1": "AbC-123"}, user={"sc_cookie1": "AbC-123"}, v2={"uuid_c1": "AbC-123"}),
    Row(
        "cookie: among the properties, where a client library's event has it",
        {"properties": {"value": 12.5, "currency": "EUR", "order_id": "o-1", "sc_cookie1": "AbC-123"}},
        user={"sc_cookie1": "AbC-123"},
        v2={"uuid_c1": "AbC-123"},
    ),
    # Match sets (snap-api.md, section 8)
    Row(
        "match set: an address without a browser is not enough",
        {"user_agent": None},
        user={"client_user_agent": None},
        v2={"user_agent": None},
        undeliverable={"v3": "insufficient_identifiers", "v2": "insufficient_identifiers"},
    ),
    Row(
        "match set: click id, cookie, external id and names are not enough",
        {"ip_address": None, "sclid": "c", "sc_cookie1": "k", "external_id": "x", "first_name": "Ann"},
        user={"client_ip_address": None, "sc_click_id": "c", "sc_cookie1": "k", "external_id": ["x"], "fn": sha("ann")},
        v2={"hashed_ip_address": None, "click_id": "c", "uuid_c1": "k", "hashed_first_name_sha": sha("ann")},
        undeliverable={"v3": "insufficient_identifiers", "v2": "insufficient_identifiers"},
    ),
    Row(
        "match set: a phone alone is enough",
        {"ip_address": None, "user_agent": None, "phone": "+448444124653"},
        user={"client_ip_address": None, "client_user_agent": None, "ph": [BRITISH]},
        v2={"hashed_ip_address": None, "user_agent": None, "hashed_phone_number": BRITISH},
    ),
]
