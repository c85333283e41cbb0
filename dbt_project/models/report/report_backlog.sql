-- How many conversions wait for each destination, over all hours.
select
    destination,
    sum(pending)::bigint as pending,
    sum(in_doubt)::bigint as in_doubt,
    sum(withdrawn)::bigint as withdrawn
from {{ ref("accounting") }}
where destination_id is not null
group by destination
order by destination
