-- The rows of destination_health that the report shows: the days of the week, and the last 48 hours.
select
    *,
    requests - accepted as failed,
    case when grain = 'hour' then 48 - datediff('hour', period_start, {{ window_end() }}) end as chart_slot
from {{ ref("destination_health") }}
where
    (grain = 'day' and period_start >= date_trunc('day', {{ window_end() }} - interval 168 hour))
    or (grain = 'hour' and period_start between {{ window_end() }} - interval 48 hour and {{ window_end() }})
order by destination, grain, period_start
