-- The outcome of each hour's events at each destination that receives the hour, and how many are unaccounted for.
with entry_counts as (
    pivot {{ ref("stg_accounting_entries") }}
    on entry in (
        'raw', 'quarantined', 'excluded', 'payloads',
        'delivered', 'rejected', 'undeliverable', 'duplicate', 'in_doubt', 'pending', 'withdrawn'
    )
    using cast(coalesce(sum(events), 0) as bigint)
    group by hour, workspace, destination_id, destination_name
),

landed_hours as (
    select * exclude (delivered, rejected, undeliverable, duplicate, in_doubt, pending, withdrawn)
    from entry_counts
    where destination_id is null
),

delivery_counts as (
    select * exclude (raw, quarantined, excluded, payloads)
    from entry_counts
    where destination_id is not null
),

hours_in_scope as (
    select
        landed_hours.hour,
        landed_hours.workspace,
        destinations.destination_id,
        destinations.destination_name,
        destinations.state
    from landed_hours
    inner join {{ ref("stg_destinations") }} as destinations
        on landed_hours.workspace = destinations.workspace and landed_hours.hour >= destinations.since
    where destinations.state != 'removed'
),

deliveries as (
    -- A live destination has a row even without entries, so that an hour that was not delivered to it is seen.
    select
        hour,
        workspace,
        destination_id,
        coalesce(delivery_counts.destination_name, hours_in_scope.destination_name) as destination,
        hours_in_scope.state is not null as is_in_scope,
        coalesce(delivery_counts.delivered, 0) as delivered,
        coalesce(delivery_counts.rejected, 0) as rejected,
        coalesce(delivery_counts.undeliverable, 0) as undeliverable,
        coalesce(delivery_counts.duplicate, 0) as duplicate,
        coalesce(delivery_counts.in_doubt, 0) as in_doubt,
        coalesce(delivery_counts.pending, 0) as pending,
        coalesce(delivery_counts.withdrawn, 0) as withdrawn
    from hours_in_scope
    full outer join delivery_counts using (hour, workspace, destination_id)
    where hours_in_scope.state = 'live' or delivery_counts.delivered is not null
)

select
    hour,
    workspace,
    deliveries.destination_id,
    deliveries.destination,
    coalesce(landed_hours.raw, 0) as raw,
    coalesce(landed_hours.quarantined, 0) as quarantined,
    coalesce(landed_hours.excluded, 0) as excluded,
    coalesce(landed_hours.payloads, 0) as payloads,
    coalesce(deliveries.delivered, 0) as delivered,
    coalesce(deliveries.rejected, 0) as rejected,
    coalesce(deliveries.undeliverable, 0) as undeliverable,
    coalesce(deliveries.duplicate, 0) as duplicate,
    coalesce(deliveries.in_doubt, 0) as in_doubt,
    coalesce(deliveries.pending, 0) as pending,
    coalesce(deliveries.withdrawn, 0) as withdrawn,
    coalesce(landed_hours.raw - landed_hours.excluded - landed_hours.payloads, 0) as unaccounted_raw,
    case
        when deliveries.is_in_scope
            then
                landed_hours.payloads - deliveries.delivered - deliveries.rejected - deliveries.undeliverable
                - deliveries.duplicate - deliveries.in_doubt - deliveries.pending
    end as unaccounted_payloads
from landed_hours
full outer join deliveries using (hour, workspace)
order by hour, workspace, deliveries.destination
