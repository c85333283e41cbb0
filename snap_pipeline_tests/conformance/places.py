"""City, state, zip and country (snap-api.md, sections 2.2 and 3.4; city by version, section 11, row 13)."""

from snap_pipeline_tests.conformance.rows import Row, sha

ROWS = [
    Row(
        "S-PY README: Los Angeles, CA, US, 00000",
        {"city": "Los Angeles", "state": "CA", "zip": "00000", "country": "US"},
        user={
            "ct": "8760663bb25fa79f35c2c14fb9c6bcbe444a8c938491cd24fe684a7056c9dbc4",
            "st": "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126",
            "zp": "e7042ac7d09c7bc41c8cfa5749e41858f6980643bc0db1a83cc793d3e24d3f77",
            "country": "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",
        },
        v2={
            "hashed_city_sha": "9f2608067816e38c85edfb0c3985feff32def8b5dc17bb522ffc2e877e9b386b",
            "hashed_state_sha": "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126",
            "hashed_zip": "e7042ac7d09c7bc41c8cfa5749e41858f6980643bc0db1a83cc793d3e24d3f77",
            "country": "US",
            "region": "CA",
        },
    ),
    Row(
        "city: letters of all scripts stay, punctuation goes in v3",
        {"city": "Saint-Étienne"},
        user={"ct": sha("saintétienne")},
        v2={"hashed_city_sha": sha("saint-étienne")},
    ),
    Row(
        "state: the name of a US state is its code",
        {"state": "California", "country": "US"},
        user={"st": sha("ca"), "country": sha("us")},
        v2={"hashed_state_sha": sha("ca"), "country": "US", "region": "CA"},
    ),
    Row(
        "state: outside the US letters alone",
        {"state": "Nordrhein-Westfalen", "country": "DE"},
        user={"st": sha("nordrheinwestfalen"), "country": sha("de")},
        v2={"hashed_state_sha": sha("nordrheinwestfalen"), "country": "DE"},
    ),
    Row(
        "zip: US, the first five digits",
        {"zip": "90001-1234", "country": "US"},
        user={"zp": sha("90001"), "country": sha("us")},
        v2={"hashed_zip": sha("90001"), "country": "US"},
    ),
    Row(
        "zip: UK, area, district and sector",
        {"zip": "SW1A 1AA", "country": "GB"},
        user={"zp": sha("sw1a1"), "country": sha("gb")},
        v2={"hashed_zip": sha("sw1a1"), "country": "GB"},
    ),
    Row(
        "zip: elsewhere lower case without blanks and hyphens",
        {"zip": "D-10 115", "country": "DE"},
        user={"zp": sha("d10115"), "country": sha("de")},
        v2={"hashed_zip": sha("d10115"), "country": "DE"},
    ),
    Row("country: a name", {"country": "Germany"}, user={"country": sha("de")}, v2={"country": "DE"}),
    Row("country: alpha-3", {"country": "DEU"}, user={"country": sha("de")}, v2={"country": "DE"}),
    Row("country: no country", {"country": "Atlantis"}, dropped=("country",)),
    Row("country: already hashed", {"country": sha("de").upper()}, user={"country": sha("de")}),
]
