-- How each destination did in the days of the week: those with requests, and all others but removed ones.
with week_health as (
    select
        destination_id,
        any_value(destination) as destination,
        any_value(workspace) as workspace,
        sum(requests)::bigint as requests,
        sum(accepted)::bigint as accepted,
        sum(delivered)::bigint as delivered,
        sum(retries)::bigint as retries,
        sum(throttled_ms) as throttled_ms
    from {{ ref("report_health") }}
    where grain = 'day'
    group by destination_id
)

select
    destination_id,
    coalesce(destinations.destination_name, week_health.destination) as destination,
    coalesce(destinations.workspace, week_health.workspace) as workspace,
    destinations.state,
    destinations.api_version,
    coalesce(week_health.requests, 0) as requests,
    coalesce(week_health.accepted, 0) as accepted,
    week_health.accepted / week_health.requests as success_rate,
    coalesce(week_health.delivered, 0) as delivered,
    coalesce(week_health.retries, 0) as retries,
    coalesce(week_health.throttled_ms, 0) as throttled_ms
from {{ ref("stg_destinations") }} as destinations
full outer join week_health using (destination_id)
where week_health.requests is not null or destinations.state != 'removed'
order by workspace, destination
