-- The requests that failed in the week and on each of its days, by category, the most frequent first.
with failed_requests as (
    select
        destination_id,
        category,
        date_trunc('day', sent_at) as day
    from {{ ref("stg_delivery_requests") }}
    where category != 'accepted' and sent_at >= date_trunc('day', {{ window_end() }} - interval 168 hour)
),

counts as (
    select
        destination_id,
        if(grouping(day) = 0, 'day', 'week') as grain,
        day as period_start,
        category,
        count(*) as requests
    from failed_requests
    group by grouping sets (
        (destination_id, category),
        (destination_id, category, day)
    )
)

select
    *,
    row_number() over (
        partition by destination_id, grain, period_start
        order by requests desc, category
    ) as position
from counts
order by destination_id, grain, period_start, position
