-- Snap's own score of each event that came through the Conversions API: the overall score where there is one, else the
-- mean of all.
with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
    select
        null::date as day,
        null::varchar as destination_id,
        null::varchar as workspace,
        null::varchar as asset,
        null::timestamp as asked_at,
        null::varchar as event_name,
        null::varchar as conversion_type,
        null::varchar as event_source,
        null::varchar as score_name,
        null::boolean as is_overall,
        null::double as score
    where false
    union all by name
    select * from {{ source("lake", "snap_scores") }}
)

select
    day,
    destination_id,
    workspace,
    asset,
    event_name,
    conversion_type,
    max(asked_at) as asked_at,
    coalesce(avg(score) filter (where is_overall), avg(score)) as score
from lake_rows
where event_source is distinct from 'SDK'
group by all
