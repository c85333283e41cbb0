-- Two weeks of closed hours: the one that is scored, and the one before to compare it with.
with lake_rows as (
    select
        null::varchar as hour,
        null::varchar as workspace,
        null::varchar as event_name,
        null::varchar as conversion_type,
        null::varchar as parameter,
        null::bigint as events,
        null::bigint as present,
        null::bigint as linked
    where false
    union all by name
    select * from {{ recent(source("lake", "parameter_completeness"), hours=336) }}
)

select
    hour,
    workspace,
    event_name,
    conversion_type,
    parameter,
    events,
    present,
    -- Hours that were made before people's events were linked do not have it.
    coalesce(linked, 0) as linked
from lake_rows
where hour >= {{ hour_key(336) }} and hour < {{ hour_key(0) }}
