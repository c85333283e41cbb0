-- The newest receipt of each event at each destination; a crash or a resend may leave two.
with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
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

repeated_hashes as (
    -- Few events have two receipts: the hash finds candidates in little memory, and the window below compares them.
    select id_hash
    from recent_receipts
    group by id_hash
    having count(*) > 1
),

newest_receipts as (
    select * from recent_receipts
    where id_hash not in (from repeated_hashes)
    union all
    select * from recent_receipts
    where id_hash in (from repeated_hashes)
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
