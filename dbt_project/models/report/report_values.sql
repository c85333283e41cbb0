-- The value of the purchases of the week that was delivered, waits and is lost, by destination and currency.
select
    workspace,
    destination_id,
    any_value(destination) as destination,
    currency,
    sum(delivered) as delivered,
    sum(waiting) as waiting,
    sum(lost) as lost
from {{ ref("daily_values") }}
where day >= ({{ window_end() }} - interval 168 hour)::date
group by workspace, destination_id, currency
order by workspace, destination, currency
