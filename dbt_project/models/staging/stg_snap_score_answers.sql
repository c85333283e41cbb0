-- The outcomes of the requests for Snap's own scores, of the last week.
with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
    select
        null::varchar as hour,
        null::varchar as destination,
        null::varchar as workspace,
        null::varchar as destination_name,
        null::varchar as asset,
        null::timestamp as asked_at,
        null::integer as http_status,
        null::varchar as message
    where false
    union all by name
    select * from {{ recent(source("lake", "snap_score_answers"), hours=168) }}
)

select
    hour,
    destination as destination_id,
    workspace,
    destination_name,
    asset,
    asked_at,
    http_status,
    message
from lake_rows
where hour >= {{ hour_key(168) }}
