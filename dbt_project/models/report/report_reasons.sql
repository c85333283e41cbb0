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
    *,
    row_number() over (partition by workspace, destination_id order by events desc, reason, entry) as position
from reasons
order by workspace, destination_id, position
