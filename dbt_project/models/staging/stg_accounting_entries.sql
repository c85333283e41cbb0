with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
    select
        null::varchar as hour,
        null::varchar as workspace,
        null::varchar as destination_id,
        null::varchar as destination,
        null::varchar as entry,
        null::varchar as reason,
        null::bigint as events,
        null::map (varchar, double) as purchase_values
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
    events,
    purchase_values
from lake_rows
