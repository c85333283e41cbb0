-- Each destination's newest hour of destination_health.
select
    destination,
    period_start,
    success_rate,
    latency_p95_ms,
    lag_p95_seconds
from {{ ref("destination_health") }}
where grain = 'hour'
qualify row_number() over (partition by destination order by period_start desc) = 1
order by destination
