-- Travel data among the properties of an event, in the form of Snap's custom_data (snap-api.md, section 3.5). Needs
-- normalize.sql, json.sql and products.sql.

-- Tells whether properties describe a trip: a filled value under one of these names. Their city, region, country and
-- postal code are the trip's then, and no address of a person. Sites send the names without values too.
create or replace macro is_trip(properties) as regexp_matches(
    properties::varchar,
    '(?i)"(?:check_?in_?date|travel_?(?:start|end)|(?:departing|returning)_?(?:departure|arrival)_?date'
    || '|(?:origin|destination)_?airport|destination_?ids|hotel_?score|num_?(?:adults|children|infants)'
    || '|suggested_?(?:destinations|hotels)|preferred_?(?:neighborhoods|star_?ratings))"'
    || '\s*:\s*(?:"\s*[^"\s]|[-0-9]|\[\s*[^\]\s]|\{\s*[^}\s])'
);

-- Snap's name for a property, which may be in any case and with any separator; null for all that are no travel data.
create or replace macro travel_field_of(name) as map_extract_value(
    map {
        'checkindate': 'checkin_date',
        'travelstart': 'travel_start',
        'travelend': 'travel_end',
        'departingdeparturedate': 'departing_departure_date',
        'departingarrivaldate': 'departing_arrival_date',
        'returningdeparturedate': 'returning_departure_date',
        'returningarrivaldate': 'returning_arrival_date',
        'originairport': 'origin_airport',
        'destinationairport': 'destination_airport',
        'destinationids': 'destination_ids',
        'city': 'city',
        'region': 'region',
        'country': 'country',
        'neighborhood': 'neighborhood',
        'postalcode': 'postal_code',
        'hotelscore': 'hotel_score',
        'numadults': 'num_adults',
        'numchildren': 'num_children',
        'numinfants': 'num_infants',
        'suggesteddestinations': 'suggested_destinations',
        'suggestedhotels': 'suggested_hotels',
        'preferredneighborhoods': 'preferred_neighborhoods',
        'preferredstarratings': 'preferred_star_ratings'
    },
    lower(translate(name, '_- ', ''))
);

-- A date in a form that Snap takes: YYYYMMDD, YYYY-MM-DD, or ISO 8601 with an offset. Of a time without an offset, the
-- date. Null for anything else, and for days that do not exist.
create or replace macro travel_date(text) as case
    when
        try_strptime(left(replace(text, '-', ''), 8), '%Y%m%d') is null
        or not regexp_full_match(
            text,
            '[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}'
            || '(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?)?'
        )
        then null
    when regexp_matches(text, '[T ].*[Z+-]') then replace(text, ' ', 'T')
    else regexp_extract(text, '^[0-9-]+')
end;

create or replace macro is_travel_list(field) as field in (
    'destination_ids', 'suggested_destinations', 'suggested_hotels', 'preferred_neighborhoods', 'preferred_star_ratings'
);

-- A value under one of Snap's names, as texts: several of a list, else one. Unusable ones are left out.
create or replace macro travel_texts(field, value) as list_filter(
    case
        when is_travel_list(field)
            then coalesce(
                list_transform(
                    json_extract(list_of(value), '$[*]'),
                    lambda item: case when json_type(item) != 'OBJECT' then null_if_blank(item ->> '$') end
                ),
                case when json_type(value) != 'OBJECT' then string_split(value ->> '$', ';') end
            )
        when json_type(value) in ('ARRAY', 'OBJECT') then []
        when field in ('city', 'region', 'country', 'neighborhood', 'postal_code', 'hotel_score')
            then [null_if_blank(value ->> '$')]
        when starts_with(field, 'num_')
            then [
                case
                    when try_cast(value ->> '$' as double) = try_cast(value ->> '$' as usmallint)
                        then try_cast(value ->> '$' as usmallint)::varchar
                end
            ]
        when ends_with(field, '_airport')
            then [nullif(regexp_extract(upper(trim(value ->> '$')), '^[A-Z]{3}$'), '')]
        else [travel_date(trim(value ->> '$'))]
    end,
    lambda text: text is not null
);

-- Of several spellings of a name, the first.
create or replace macro first_of_each_field(filled) as list_transform(
    [filled],
    lambda named: list_filter( -- noqa: LT01
        named, -- noqa: PRS
        lambda each, place: list_position(list_transform(named, lambda other: other.field), each.field) = place
    )
)[1];

-- The travel data of properties: Snap's names, each once, with its usable texts. Null without any.
create or replace macro travel_of(properties) as null_if_empty_list(
    list_transform(
        first_of_each_field(
            list_filter(
                list_transform(
                    json_keys(properties),
                    lambda name: {
                        'field': travel_field_of(name),
                        'value': json_extract(properties, '/' || replace(replace(name, '~', '~0'), '/', '~1'))
                    }
                ),
                lambda given: given.field is not null and null_if_blank(given.value ->> '$') is not null
            )
        ),
        lambda given: { 'field': given.field, 'texts': travel_texts(given.field, given.value) }
    )
);

-- The names among them that have no usable value.
create or replace macro unusable_travel(travel) as list_transform(
    list_filter(travel, lambda given: len(given.texts) = 0), lambda given: given.field
);

-- The members of Snap's custom_data, as JSON without braces; null without any. Takes what travel_of() gives, and the
-- replacements of plaintext_replacements().
create or replace macro travel_members(travel, replacements) as nullif(
    array_to_string(
        list_transform(
            list_transform(
                travel, lambda given: { 'field': given.field, 'texts': all_replaced(given.texts, replacements) }
            ),
            lambda given: '"' || given.field || '":' || case
                when is_travel_list(given.field) then to_json(nullif(given.texts, []))::varchar
                when starts_with(given.field, 'num_') then given.texts[1]
                else to_json(given.texts[1])::varchar
            end
        ),
        ','
    ),
    ''
);
