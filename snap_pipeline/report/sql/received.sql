-- What came in during the week that ends at $week_end, and why some of it is no conversion. Reads `accounting` and
-- `accounting_entries`.
with hours as (
    -- A row for each destination repeats what its hour received.
    select distinct
        workspace,
        hour,
        hour[:10] as day,
        raw,
        quarantined,
        excluded,
        payloads
    from accounting
    where hour >= strftime($week_end::timestamp - interval 168 hour, '%Y-%m-%dT%H')
),

daily as (
    select
        workspace,
        day,
        sum(raw)::bigint as raw,
        sum(quarantined)::bigint as quarantined,
        sum(excluded)::bigint as excluded,
        sum(payloads)::bigint as payloads
    from hours
    group by all
),

days as (
    select
        workspace,
        sum(raw)::bigint as raw,
        sum(quarantined)::bigint as quarantined,
        sum(excluded)::bigint as excluded,
        sum(payloads)::bigint as payloads,
        list({
            'day': day::date, 'raw': raw, 'quarantined': quarantined, 'excluded': excluded, 'payloads': payloads
        } order by day desc) as days
    from daily
    group by workspace
),

reason_counts as (
    select
        workspace,
        entry,
        reason,
        sum(events)::bigint as events
    from accounting_entries
    where
        entry in ('quarantined', 'excluded')
        and hour >= strftime($week_end::timestamp - interval 168 hour, '%Y-%m-%dT%H')
    group by all
),

reasons as (
    select
        workspace,
        list({ 'entry': entry, 'reason': reason, 'events': events } order by events desc, reason asc) as reasons
    from reason_counts
    group by workspace
)

select
    days.*,
    coalesce(reasons.reasons, []) as reasons
from days
left join reasons using (workspace)
