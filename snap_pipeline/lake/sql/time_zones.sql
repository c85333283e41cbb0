-- The abbreviations of every time zone that the database knows, a map of maps: by zone, by offset in minutes. Reads
-- `time_zones_rows`.
with abbreviations as (
    select
        time_zone,
        try_cast(utc_offset_minutes as integer) as minutes,
        arg_max(abbreviation, origin = 'home') as abbreviation
    from time_zones_rows
    group by all
),

zones as (
    select
        known.name as time_zone,
        map_from_entries(
            coalesce(
                list((abbreviations.minutes, abbreviations.abbreviation))
                filter (where abbreviations.minutes is not null),
                []
            )
        ) as by_offset
    from pg_timezone_names() as known
    left join abbreviations on known.name = abbreviations.time_zone
    group by known.name
)

select map_from_entries(list((time_zone, by_offset)))
from zones
