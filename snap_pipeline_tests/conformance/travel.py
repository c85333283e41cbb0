"""Travel data of custom_data (snap-api.md, section 3.5), which version 2 has not."""

from collections.abc import Mapping
from typing import Any

from snap_pipeline_tests.conformance.rows import Row, sha

ORDER = {"value": 12.5, "currency": "EUR", "order_id": "o-1"}


def trip(title: str, given: Mapping[str, Any], sent: Mapping[str, Any], *dropped: str) -> Row:
    """Return a row that differs in properties of a trip alone."""
    return Row(title, {"properties": {**ORDER, **given}}, custom=sent, dropped=dropped)


def date(title: str, given: object, sent: str | None) -> Row:
    """Return a row that differs in the day of arrival alone."""
    sent_data = {"checkin_date": sent} if sent else {}
    return trip(f"travel date: {title}", {"checkin_date": given}, sent_data, *([] if sent else ["checkin_date"]))


ROWS = [
    trip(
        "travel: a stay, under Snap's names",
        {
            "checkin_date": "2026-12-24",
            "travel_start": "20261224",
            "travel_end": "2026-12-27T10:00:00+01:00",
            "city": "Lech",
            "region": "Vorarlberg",
            "country": "AT",
            "neighborhood": "Oberlech",
            "postal_code": "6764",
            "hotel_score": "8.9",
            "num_adults": 2,
            "num_children": "1",
            "num_infants": 0,
            "suggested_hotels": ["h-1", "h-2"],
            "suggested_destinations": ["Lech", "Zürs"],
            "preferred_neighborhoods": ["Oberlech"],
            "preferred_star_ratings": [4, 5],
            "destination_ids": ["d-1"],
        },
        {
            "checkin_date": "2026-12-24",
            "travel_start": "20261224",
            "travel_end": "2026-12-27T10:00:00+01:00",
            "city": "Lech",
            "region": "Vorarlberg",
            "country": "AT",
            "neighborhood": "Oberlech",
            "postal_code": "6764",
            "hotel_score": "8.9",
            "num_adults": 2,
            "num_children": 1,
            "num_infants": 0,
            "suggested_hotels": ["h-1", "h-2"],
            "suggested_destinations": ["Lech", "Zürs"],
            "preferred_neighborhoods": ["Oberlech"],
            "preferred_star_ratings": ["4", "5"],
            "destination_ids": ["d-1"],
        },
    ),
    trip(
        "travel: a flight, in camelCase",
        {
            "departingDepartureDate": "2026-12-24T06:20:00Z",
            "departingArrivalDate": "2026-12-24T08:05:00.000+0100",
            "returningDepartureDate": "2026-12-27 18:00+01:00",
            "returningArrivalDate": "2026-12-27",
            "originAirport": "ham",
            "destinationAirport": " INN ",
            "numAdults": 1.0,
            "destinationIds": "INN;LCH",
            "preferredStarRatings": 4,
        },
        {
            "departing_departure_date": "2026-12-24T06:20:00Z",
            "departing_arrival_date": "2026-12-24T08:05:00.000+0100",
            "returning_departure_date": "2026-12-27T18:00+01:00",
            "returning_arrival_date": "2026-12-27",
            "origin_airport": "HAM",
            "destination_airport": "INN",
            "num_adults": 1,
            "destination_ids": ["INN", "LCH"],
            "preferred_star_ratings": ["4"],
        },
    ),
    trip(
        "travel: lists as JSON text, with blanks and other things among them",
        {"suggestedHotels": '["h-1", "", null, {"id": "h-2"}]', "destination_ids": [7, "null", "8"]},
        {"suggested_hotels": ["h-1"], "destination_ids": ["7", "8"]},
    ),
    trip(
        "travel: values that cannot be used are dropped and counted",
        {
            "travel_end": {"day": 24},
            "origin_airport": "Hamburg",
            "num_adults": "two",
            "num_children": -1,
            "num_infants": 1.5,
            "suggested_hotels": [{}],
            "hotel_score": ["8.9"],
            "checkin_date": "2026-12-24",
        },
        {"checkin_date": "2026-12-24"},
        "travel_end",
        "origin_airport",
        "num_adults",
        "num_children",
        "num_infants",
        "suggested_hotels",
        "hotel_score",
    ),
    trip(
        "travel: words for nothing and empty lists are no values",
        {"checkin_date": "", "travel_end": None, "hotel_score": "undefined", "num_adults": "null"},
        {},
    ),
    trip(
        "travel: of two spellings, the first",
        {"checkinDate": "2026-12-24", "checkin_date": "2026-12-25"},
        {"checkin_date": "2026-12-24"},
    ),
    trip(
        "travel: texts are sent without plaintext",
        {
            "checkin_date": "2026-12-24",
            "neighborhood": "near person@example.com",
            "city": "person@example.com",
            "suggested_hotels": ["h-1", "call +44 844 412 4653", "+448444124653"],
        },
        {"checkin_date": "2026-12-24", "neighborhood": "near ", "suggested_hotels": ["h-1", "call "]},
    ),
    trip(
        "travel: quotes and backslashes in a text",
        {"travel_end": "20261227", "city": 'a "b" \\ c'},
        {"travel_end": "20261227", "city": 'a "b" \\ c'},
    ),
    Row(
        "travel: the places of a trip are no address, also in camelCase",
        {"email": "person@example.com", "properties": {**ORDER, "checkinDate": "2026-12-24", "city": "Lech"}},
        user={"em": [sha("person@example.com")]},
        custom={"checkin_date": "2026-12-24", "city": "Lech"},
        v2={"hashed_email": sha("person@example.com")},
    ),
    Row(
        "travel: the person's own place stays an address",
        {"city": "Hamburg", "properties": {**ORDER, "checkin_date": "2026-12-24", "city": "Lech"}},
        user={"ct": sha("hamburg")},
        custom={"checkin_date": "2026-12-24", "city": "Lech"},
        v2={"hashed_city_sha": sha("hamburg")},
    ),
    trip("travel: a neighborhood without a trip is not sent", {"neighborhood": "Altona"}, {}),
    date("of a time without an offset, the date", "2026-12-24T15:00:00", "2026-12-24"),
    date("with a blank before the time", "2026-12-24 15:00:00Z", "2026-12-24T15:00:00Z"),
    date("white space around it", " 2026-12-24 ", "2026-12-24"),
    date("a number of JSON", 20261224, "20261224"),
    date("a day that does not exist", "2026-02-30", None),
    date("a month that does not exist", "20261301", None),
    date("a form that says either of two days", "03/04/2026", None),
    date("an epoch", 1798070400, None),
    date("words", "next Friday", None),
    Row(
        "travel: names without values make no trip, and the city is the person's",
        {"properties": {**ORDER, "city": "Lech", "checkin_date": "", "hotel_score": None, "destination_ids": []}},
        user={"ct": sha("lech")},
        v2={"hashed_city_sha": sha("lech")},
    ),
]
