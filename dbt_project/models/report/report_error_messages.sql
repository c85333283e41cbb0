-- What each destination said last where a request failed: its five newest messages of the week.
with messages as (
    select
        destination_id,
        latest_error_category as category,
        latest_error_message as message,
        max(latest_error_at) as latest_at
    from {{ ref("destination_health") }}
    where
        grain = 'hour'
        and latest_error_at is not null
        and period_start >= date_trunc('day', {{ window_end() }} - interval 168 hour)
    group by all
)

select
    *,
    row_number() over (partition by destination_id order by latest_at desc, category, message) as position
from messages
qualify position <= 5
order by destination_id, position
