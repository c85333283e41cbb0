-- The value of purchases that was delivered, waits and is lost, by currency, destination and day of landing.
with entry_values as (
    select
        workspace,
        destination_id,
        destination_name,
        strptime(hour[:10], '%Y-%m-%d')::date as day,
        entry,
        unnest(map_keys(purchase_values)) as currency,
        unnest(map_values(purchase_values)) as amount
    from {{ ref("stg_accounting_entries") }}
    where destination_id is not null
)

select
    workspace,
    destination_id,
    any_value(destination_name) as destination,
    day,
    currency,
    coalesce(sum(amount) filter (where entry = 'delivered'), 0)::double as delivered,
    coalesce(sum(amount) filter (where entry in ('pending', 'in_doubt')), 0)::double as waiting,
    coalesce(sum(amount) filter (where entry in ('rejected', 'undeliverable')), 0)::double as lost
from entry_values
group by workspace, destination_id, day, currency
order by workspace, destination, day, currency
