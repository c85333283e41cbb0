-- What was delivered, waits and is lost, by destination and by the day on which the events landed.
select
    workspace,
    destination_id,
    any_value(destination) as destination,
    strptime(hour[:10], '%Y-%m-%d')::date as day,
    sum(payloads)::bigint as conversions,
    sum(delivered)::bigint as delivered,
    sum(pending + in_doubt)::bigint as waiting,
    sum(rejected + undeliverable)::bigint as lost
from {{ ref("accounting") }}
where destination_id is not null
group by workspace, destination_id, day
order by workspace, destination, day
