-- What became of each hour's events, at each destination to which they are owed, and how many are unaccounted for.
with counts as (
    pivot {{ ref("stg_accounting_entries") }}
    on entry in (
        'raw', 'quarantined', 'excluded', 'payloads',
        'delivered', 'rejected', 'undeliverable', 'duplicate', 'in_doubt', 'pending', 'withdrawn'
    )
    using cast(coalesce(sum(events), 0) as bigint)
    group by hour, workspace, destination_id, destination_name
),

hours as (
    select * exclude (delivered, rejected, undeliverable, duplicate, in_doubt, pending, withdrawn)
    from counts
    where destination_id is null
),

outcomes as (
    select * exclude (raw, quarantined, excluded, payloads)
    from counts
    where destination_id is not null
),

owed as (
    select
        hours.hour,
        hours.workspace,
        destinations.destination_id,
        destinations.destination_name,
        destinations.state
    from hours
    inner join {{ ref("stg_destinations") }} as destinations
        on hours.workspace = destinations.workspace and hours.hour >= destinations.since
    where destinations.state != 'removed'
),

deliveries as (
    -- A live destination has a row even where no entry names it, so that a forgotten one is seen.
    select
        hour,
        workspace,
        destination_id,
        coalesce(outcomes.destination_name, owed.destination_name) as destination,
        owed.state is not null as is_owed,
        coalesce(outcomes.delivered, 0) as delivered,
        coalesce(outcomes.rejected, 0) as rejected,
        coalesce(outcomes.undeliverable, 0) as undeliverable,
        coalesce(outcomes.duplicate, 0) as duplicate,
        coalesce(outcomes.in_doubt, 0) as in_doubt,
        coalesce(outcomes.pending, 0) as pending,
        coalesce(outcomes.withdrawn, 0) as withdrawn
    from owed
    full outer join outcomes using (hour, workspace, destination_id)
    where owed.state = 'live' or outcomes.delivered is not null
)

select
    hour,
    workspace,
    deliveries.destination_id,
    deliveries.destination,
    coalesce(hours.raw, 0) as raw,
    coalesce(hours.quarantined, 0) as quarantined,
    coalesce(hours.excluded, 0) as excluded,
    coalesce(hours.payloads, 0) as payloads,
    coalesce(deliveries.delivered, 0) as delivered,
    coalesce(deliveries.rejected, 0) as rejected,
    coalesce(deliveries.undeliverable, 0) as undeliverable,
    coalesce(deliveries.duplicate, 0) as duplicate,
    coalesce(deliveries.in_doubt, 0) as in_doubt,
    coalesce(deliveries.pending, 0) as pending,
    coalesce(deliveries.withdrawn, 0) as withdrawn,
    coalesce(hours.raw - hours.excluded - hours.payloads, 0) as unaccounted_raw,
    case
        when deliveries.is_owed
            then
                hours.payloads - deliveries.delivered - deliveries.rejected - deliveries.undeliverable
                - deliveries.duplicate - deliveries.in_doubt - deliveries.pending
    end as unaccounted_payloads
from hours
full outer join deliveries using (hour, workspace)
order by hour, workspace, deliveries.destination
