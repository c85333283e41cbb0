-- The lines of an uploaded file, each with the hour to land in: the hour of its own time, or the running hour if that
-- time is missing, unreadable, in the future or before the first hour. Reads `file_lines` (position, line), as text.
with parsed as (
    select
        position,
        line,
        try_cast(line as json) as event
    from file_lines
),

timed as (
    select
        position,
        line,
        coalesce(json_type(event) = 'OBJECT', false) as is_event,
        case
            when json_type(event) = 'OBJECT'
                then date_trunc(
                    'hour',
                    event_timestamp(
                        coalesce(
                            null_if_blank(event ->> 'timestamp'),
                            null_if_blank(event ->> 'event_timestamp'),
                            null_if_blank(event ->> 'originalTimestamp'),
                            null_if_blank(event ->> 'sentAt')
                        )
                    )
                )
        end as own_hour,
        json_type(event) = 'OBJECT'
        and $origin is not null
        and null_if_blank(event ->> 'origin') is null as lacks_origin
    from parsed
),

placed as (
    select
        position,
        -- The line stays as written; the origin is inserted before its first key.
        case
            when not lacks_origin then line
            when json_keys(try_cast(line as json)) = [] then '{"origin":"' || $origin || '"}'
            else '{"origin":"' || $origin || '",' || substr(ltrim(line, E' \t\r\n'), 2)
        end as line,
        is_event,
        own_hour is null as lacks_time,
        case
            when $given_hour is not null then $given_hour
            when own_hour between $first_hour and $running_hour then own_hour
            else $running_hour
        end as hour
    from timed
)

select * replace (is_event and strlen(line) <= $maximum_line_bytes as is_event)
from placed
