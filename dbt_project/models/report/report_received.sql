-- What landed in the week and on each of its days, and how much of it is a conversion.
with landed_hours as (
    -- accounting repeats what an hour received in the row of each destination.
    select distinct
        workspace,
        hour,
        strptime(hour[:10], '%Y-%m-%d') as day,
        raw,
        quarantined,
        excluded,
        payloads
    from {{ ref("accounting") }}
    where hour >= {{ hour_key(168) }}
)

select
    workspace,
    if(grouping(day) = 0, 'day', 'week') as grain,
    day as period_start,
    sum(raw)::bigint as raw,
    sum(quarantined)::bigint as quarantined,
    sum(excluded)::bigint as excluded,
    sum(payloads)::bigint as payloads
from landed_hours
group by grouping sets (workspace, (workspace, day))
order by workspace, grain, period_start
