-- A crash or a resend may leave two receipts of one event at one destination: the newest counts.
with lake_rows as (
    select
        null::varchar as hour,
        null::varchar as destination,
        null::varchar as event_id,
        null::varchar as event_name,
        null::timestamp as event_time,
        null::varchar as workspace,
        null::varchar as outcome,
        null::varchar as reason,
        null::timestamp as sent_at,
        null::timestamp as acknowledged_at
    where false
    union all by name
    select * from {{ recent(source("lake", "delivery_receipts"), hours=90 * 24) }}
),

recent_receipts as (
    select
        *,
        hash(destination, workspace, event_id, event_name) as id_hash
    from lake_rows
    where hour >= {{ hour_key(90 * 24) }}
),

suspected_ids as (
    -- Few events repeat: the hash finds them in little memory, the window below decides.
    select id_hash
    from recent_receipts
    group by id_hash
    having count(*) > 1
),

newest_receipts as (
    select * from recent_receipts
    where id_hash not in (from suspected_ids)
    union all
    select * from recent_receipts
    where id_hash in (from suspected_ids)
    qualify row_number() over (partition by destination, workspace, event_id, event_name order by sent_at desc) = 1
)

select
    destination as destination_id,
    workspace,
    event_id,
    outcome,
    reason,
    sent_at,
    epoch(acknowledged_at) - epoch(event_time) as lag_seconds
from newest_receipts
