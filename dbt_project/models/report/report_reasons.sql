-- Why events of the week are no conversions, and why conversions were not delivered, the most frequent reason first.
with reasons as (
    select
        workspace,
        destination_id,
        entry,
        reason,
        sum(events)::bigint as events
    from {{ ref("stg_accounting_entries") }}
    where entry in ('quarantined', 'excluded', 'rejected', 'undeliverable') and hour >= {{ hour_key(168) }}
    group by all
)

select
    reasons.*,
    if(reasons.entry = 'excluded', examples.event_ids, null) as event_ids,
    row_number() over (
        partition by reasons.workspace, reasons.destination_id
        order by reasons.events desc, reasons.reason, reasons.entry
    ) as position
from reasons
left join {{ ref("stg_excluded_examples") }} as examples
    on reasons.workspace = examples.workspace and reasons.reason = examples.reason
order by reasons.workspace, reasons.destination_id, position
