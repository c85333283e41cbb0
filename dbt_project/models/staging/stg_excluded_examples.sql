-- The five newest excluded events of the week for each reason, to look at with `snap-pipeline trace`.
with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files lacks.
    select
        null::varchar as hour,
        null::varchar as workspace,
        null::varchar as reason,
        null::varchar as event_id
    where false
    union all by name
    select * from {{ recent(source("lake", "excluded_events"), hours=168) }}
)

select
    workspace,
    reason,
    max_by(event_id, hour, 5) as event_ids
from lake_rows
where hour >= {{ hour_key(168) }} and event_id is not null
group by workspace, reason
