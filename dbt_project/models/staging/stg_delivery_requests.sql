with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
    select
        null::varchar as hour,
        null::varchar as destination,
        null::varchar as request_id,
        null::varchar as batch_id,
        null::varchar as workspace,
        null::integer as attempt,
        null::bigint as events,
        null::bigint as bytes,
        null::timestamp as sent_at,
        null::double as latency_ms,
        null::double as waited_ms,
        null::integer as http_status,
        null::varchar as category,
        null::varchar as message
    where false
    union all by name
    select * from {{ recent(source("lake", "delivery_requests"), hours=90 * 24) }}
)

select
    hour,
    destination as destination_id,
    request_id,
    batch_id,
    workspace,
    attempt,
    events,
    bytes,
    sent_at,
    latency_ms,
    waited_ms,
    http_status,
    category,
    message
from lake_rows
where hour >= {{ hour_key(90 * 24) }}
