-- Links of an older hour, made from those of the newest: some are of devices that come back, the others are of devices
-- that this hour alone has seen. Reads `template` (links of the newest hour) and the variables `older_hour`,
-- `older_by` (an interval), `share` (which part of the template's devices the hour has) and `returning_percent`.
with chosen as (
    select
        *,
        hash(device_number, getvariable('older_hour')) % 100 < getvariable('returning_percent') as is_back
    from template
    where hash(getvariable('older_hour'), device_number) % 1000 < 1000 * getvariable('share')
)

select
    * exclude (is_back) replace (
        device_number_of(workspace, concat(anonymous_id, if(is_back, '', getvariable('older_hour')))) as device_number,
        concat(anonymous_id, if(is_back, '', getvariable('older_hour'))) as anonymous_id,
        id_number(workspace, person || if(is_back, '', getvariable('older_hour'))) as person_number,
        person || if(is_back, '', getvariable('older_hour')) as person,
        first_seen_at - getvariable('older_by') as first_seen_at,
        last_seen_at - getvariable('older_by') as last_seen_at,
        array_to_string(
            list_transform(
                string_split(clicks, chr(31)),
                lambda c: timed_signal(
                    signal_time(c) - getvariable('older_by'), signal_text(c) || getvariable('older_hour')
                )
            ),
            chr(31)
        ) as clicks
    )
from chosen
order by device_number, person_number, first_seen_at
