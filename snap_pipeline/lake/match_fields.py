"""Registry of match fields: what is known of the person and the device behind an event, and how Snap gets it.

Each field is one row of `MATCH_FIELDS`. The SQL, the labels and the table in docs/events.md that list fields get their
lists from it: `match_field_blocks.py` renders them, and `make fields` writes them into the files.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MatchField:
    """A field by which Snap matches an event with a person (snap-api.md, sections 2.2, 3.4 and 6).

    Attributes:
        column: of `raw_events`; a list where `is_list`.
        keys: its usual names among an event's own keys, in order of preference.
        trait_keys: its usual names in `traits` and `context.traits`.
        elsewhere: other paths where it usually is, after these.
        spellings: other names of the field in snake case. All names count in any case, with any separator and in every
            place, but the unusual ones are only looked for in lines that have one. The first wins within a place.
        payload: column of `conversion_payloads`.
        v3: key in v3's `user_data`.
        v2: key in v2's event.
        label: name on pages.
        normalized: SQL that makes the payload's column of the landed one, for hashed fields that are no lists.
        v2_column: column of `conversion_payloads` with the value as v2 hashes it, where that differs.
        v2_normalized: SQL for it.
        is_list: whether an event may give several values.
        is_hashed: whether it goes out as SHA-256 in v3.
        is_linked: whether other events of the person may give it, through identity links.
        is_scored: whether its completeness counts (`parameter_weights.csv` has its weight).
    """

    column: str
    keys: tuple[str, ...]
    payload: str
    v3: str | None
    v2: str | None
    label: str
    trait_keys: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    normalized: str = ""
    v2_column: str = ""
    v2_normalized: str = ""
    is_list: bool = False
    is_hashed: bool = False
    is_linked: bool = False
    is_scored: bool = True


MATCH_FIELDS = (
    MatchField(
        column="emails",
        keys=("email",),
        trait_keys=("email",),
        spellings=(
            "e_mail", "email_address", "user_email", "customer_email", "hashed_email", "sha256_email",
            "sha256_email_address", "user_hashed_email", "em",
        ),
        payload="em",
        v3="em",
        v2="hashed_email",
        label="E-mail",
        is_list=True,
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="phones",
        keys=("phone",),
        trait_keys=("phone",),
        spellings=(
            "phone_number", "mobile_number", "mobile_phone", "telephone", "telephone_number", "user_phone",
            "user_phone_number", "customer_phone", "hashed_phone_number", "hashed_phone", "sha256_phone_number",
            "user_hashed_phone_number", "ph",
        ),
        payload="ph",
        v3="ph",
        v2="hashed_phone_number",
        label="Phone",
        is_list=True,
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="first_name",
        keys=("first_name",),
        trait_keys=("firstName",),
        spellings=(
            "given_name", "customer_first_name", "hashed_first_name", "hashed_first_name_sha", "sha256_first_name",
            "fn",
        ),
        payload="fn",
        v3="fn",
        v2="hashed_first_name_sha",
        label="First name",
        normalized="hashed_name(first_name)",
        v2_column="first_name_v2",
        v2_normalized="hashed_name_v2(first_name)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="last_name",
        keys=("last_name",),
        trait_keys=("lastName",),
        spellings=(
            "family_name", "surname", "customer_last_name", "hashed_last_name", "hashed_last_name_sha",
            "sha256_last_name", "ln",
        ),
        payload="ln",
        v3="ln",
        v2="hashed_last_name_sha",
        label="Last name",
        normalized="hashed_name(last_name)",
        v2_column="last_name_v2",
        v2_normalized="hashed_name_v2(last_name)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="gender",
        keys=("gender",),
        trait_keys=("gender",),
        spellings=("sex", "hashed_gender", "ge"),
        payload="ge",
        v3="ge",
        v2=None,
        label="Gender",
        normalized="hashed_gender(gender)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="city",
        keys=("city",),
        trait_keys=("address.city",),
        spellings=("town", "hashed_city", "hashed_city_sha", "ct"),
        payload="ct",
        v3="ct",
        v2="hashed_city_sha",
        label="City",
        normalized="hashed_city(city)",
        v2_column="city_v2",
        v2_normalized="hashed_city_v2(city)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="state",
        keys=("state",),
        trait_keys=("address.state",),
        spellings=(
            "state_code", "province", "province_code", "region", "region_code", "hashed_state", "hashed_state_sha",
            "st",
        ),
        payload="st",
        v3="st",
        v2="hashed_state_sha",
        label="State or region",
        normalized="hashed_state(state, country_code)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="zip",
        keys=("zip",),
        trait_keys=("address.postalCode",),
        spellings=("postal_code", "zipcode", "zip_code", "postcode", "post_code", "hashed_zip", "zp"),
        payload="zp",
        v3="zp",
        v2="hashed_zip",
        label="Postal code",
        normalized="hashed_zip(zip, country_code)",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="country",
        keys=("country",),
        trait_keys=("address.country",),
        spellings=("country_code", "hashed_country"),
        payload="country",
        v3="country",
        v2=None,
        label="Country",
        normalized="coalesce(given_digest(country), sha256(country_code))",
        is_hashed=True,
        is_linked=True,
    ),
    MatchField(
        column="external_ids",
        keys=("external_id",),
        spellings=("hashed_external_id",),
        payload="external_id",
        v3="external_id",
        v2=None,
        label="Customer id",
        is_list=True,
        is_linked=True,
    ),
    MatchField(
        column="sc_cookie1",
        keys=("sc_cookie1",),
        spellings=("uuid_c1", "_scid", "scid"),
        payload="sc_cookie1",
        v3="sc_cookie1",
        v2="uuid_c1",
        label="Snap Pixel cookie",
        is_linked=True,
    ),
    MatchField(
        column="sc_click_id",
        keys=(),
        spellings=("sccid", "sclid", "sc_click_id", "snap_click_id", "click_id"),
        payload="sc_click_id",
        v3="sc_click_id",
        v2="click_id",
        label="Click id",
    ),
    MatchField(
        column="ip_address",
        keys=("ip_address",),
        elsewhere=("context.ip", "request_ip", "ip"),
        spellings=("client_ip_address", "hashed_ip_address"),
        payload="client_ip_address",
        v3="client_ip_address",
        v2="hashed_ip_address",
        label="IP address",
        v2_column="hashed_ip_address",
    ),
    MatchField(
        column="user_agent",
        keys=("user_agent",),
        elsewhere=('context."userAgent"', '"userAgent"'),
        spellings=("client_user_agent",),
        payload="client_user_agent",
        v3="client_user_agent",
        v2="user_agent",
        label="Browser",
    ),
    MatchField(
        column="advertising_id",
        keys=("advertising_id",),
        elsewhere=('context.device."advertisingId"',),
        spellings=("madid", "mobile_ad_id", "idfa", "gaid", "aaid", "hashed_mobile_ad_id", "user_mobile_ad_id"),
        payload="madid",
        v3="madid",
        v2="hashed_mobile_ad_id",
        label="Mobile advertising id",
        v2_column="hashed_mobile_ad_id",
    ),
    MatchField(
        column="idfv",
        keys=("idfv",),
        spellings=("hashed_idfv",),
        payload="idfv",
        v3="idfv",
        v2="hashed_idfv",
        label="App vendor's device id",
        v2_column="hashed_idfv",
    ),
    MatchField(
        column="subscription_id",
        keys=(),
        spellings=("subscription_id",),
        payload="subscription_id",
        v3="subscription_id",
        v2=None,
        label="Subscription id",
        is_scored=False,
    ),
    MatchField(
        column="lead_id",
        keys=(),
        spellings=("lead_id",),
        payload="lead_id",
        v3="lead_id",
        v2=None,
        label="Lead id",
        is_scored=False,
    ),
    MatchField(
        column="anon_id",
        keys=(),
        spellings=("anon_id",),
        payload="anon_id",
        v3="anon_id",
        v2=None,
        label="App's anonymous id",
        is_scored=False,
    ),
)  # fmt: skip
"""The match fields, those that stand for a person by themselves first. The order of linked fields is that of bits in
stored links (`kind_bit`), so that a new one goes behind them."""

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "page_url": ("page_url", "page_location", "event_source_url"),
    "client_dedup_id": ("client_dedup_id",),
}
"""Columns of `raw_events` that are no match fields, with the names under which every place may have them."""
