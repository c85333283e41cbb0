-- Where the conversions of the week that ends at $week_end stand with each destination that they are owed to, and why
-- some were not delivered. Reads `accounting` and `accounting_entries`.
with hours as (
    select
        *,
        hour[:10] as day
    from accounting
    where destination_id is not null and hour >= strftime($week_end::timestamp - interval 168 hour, '%Y-%m-%dT%H')
),

daily as (
    select
        destination_id,
        day,
        sum(payloads)::bigint as payloads,
        sum(delivered)::bigint as delivered,
        sum(rejected)::bigint as rejected,
        sum(undeliverable)::bigint as undeliverable,
        sum(duplicate)::bigint as duplicate,
        sum(in_doubt)::bigint as in_doubt,
        sum(pending)::bigint as pending
    from hours
    group by all
),

days as (
    select
        destination_id,
        list({
            'day': day::date,
            'payloads': payloads,
            'delivered': delivered,
            'rejected': rejected,
            'undeliverable': undeliverable,
            'duplicate': duplicate,
            'in_doubt': in_doubt,
            'pending': pending
        } order by day desc) as days
    from daily
    group by destination_id
),

by_hour as (
    select
        workspace,
        destination_id,
        any_value(destination) as destination,
        sum(payloads)::bigint as payloads,
        sum(delivered)::bigint as delivered,
        sum(rejected)::bigint as rejected,
        sum(undeliverable)::bigint as undeliverable,
        sum(duplicate)::bigint as duplicate,
        sum(in_doubt)::bigint as in_doubt,
        sum(pending)::bigint as pending,
        sum(withdrawn)::bigint as withdrawn,
        coalesce(sum(abs(unaccounted_raw) + abs(coalesce(unaccounted_payloads, 0))), 0)::bigint as unaccounted,
        list({
            'hour': strptime(hour, '%Y-%m-%dT%H'),
            'slot': 168 - datediff('hour', strptime(hour, '%Y-%m-%dT%H'), $week_end::timestamp),
            'payloads': payloads,
            'delivered': delivered,
            'settled': rejected + undeliverable + duplicate,
            'waiting': pending + in_doubt
        } order by hour) as hours
    from hours
    group by all
),

reason_counts as (
    select
        destination_id,
        entry,
        reason,
        sum(events)::bigint as events
    from accounting_entries
    where
        entry in ('rejected', 'undeliverable')
        and hour >= strftime($week_end::timestamp - interval 168 hour, '%Y-%m-%dT%H')
    group by all
),

reasons as (
    select
        destination_id,
        list({ 'entry': entry, 'reason': reason, 'events': events } order by events desc, reason asc) as reasons
    from reason_counts
    group by destination_id
)

select
    by_hour.*,
    days.days,
    coalesce(reasons.reasons, []) as reasons
from by_hour
inner join days using (destination_id)
left join reasons using (destination_id)
order by by_hour.destination
