with lake_rows as (
    select
        null::varchar as hour,
        null::varchar as workspace,
        null::varchar as destination_id,
        null::varchar as destination,
        null::varchar as entry,
        null::varchar as reason,
        null::bigint as events
    where false
    union all by name
    select * from {{ source("lake", "accounting_entries") }}
)

select
    hour,
    workspace,
    destination_id,
    destination as destination_name,
    entry,
    reason,
    events
from lake_rows
