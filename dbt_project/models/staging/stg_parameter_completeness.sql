-- Two weeks of closed hours: the week that is scored, and the week before, with which it is compared.
with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
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
    -- Hours that were made before the events of a person were linked lack this column.
    coalesce(linked, 0) as linked
from lake_rows
where hour >= {{ hour_key(336) }} and hour < {{ hour_key(0) }}
