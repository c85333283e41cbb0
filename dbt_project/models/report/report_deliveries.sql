-- Where the conversions of the week stand with each destination: over the week, by day and by hour.
with destination_hours as (
    select
        *,
        strptime(hour[:10], '%Y-%m-%d') as day,
        strptime(hour, '%Y-%m-%dT%H') as hour_start
    from {{ ref("accounting") }}
    where destination_id is not null and hour >= {{ hour_key(168) }}
)

select
    workspace,
    destination_id,
    any_value(destination) as destination,
    case when grouping(hour_start) = 0 then 'hour' when grouping(day) = 0 then 'day' else 'week' end as grain,
    coalesce(hour_start, day) as period_start,
    sum(payloads)::bigint as payloads,
    sum(delivered)::bigint as delivered,
    sum(rejected)::bigint as rejected,
    sum(undeliverable)::bigint as undeliverable,
    sum(duplicate)::bigint as duplicate,
    sum(in_doubt)::bigint as in_doubt,
    sum(pending)::bigint as pending,
    sum(withdrawn)::bigint as withdrawn,
    sum(rejected + undeliverable + duplicate)::bigint as not_delivered,
    sum(pending + in_doubt)::bigint as waiting,
    coalesce(sum(abs(unaccounted_raw) + abs(coalesce(unaccounted_payloads, 0))), 0)::bigint as unaccounted,
    168 - datediff('hour', hour_start, {{ window_end() }}) as chart_slot
from destination_hours
group by
    grouping sets (
        (workspace, destination_id),
        (workspace, destination_id, day),
        (workspace, destination_id, hour_start)
    )
order by workspace, destination, destination_id, grain, period_start
