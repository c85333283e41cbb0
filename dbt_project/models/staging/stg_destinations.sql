with lake_rows as (
    -- No rows, but the columns and their types, which a lake without files or with older ones lacks.
    select
        null::varchar as destination_id,
        null::varchar as name,
        null::varchar as workspace,
        null::varchar as api_version,
        null::varchar as state,
        null::varchar as since
    where false
    union all by name
    select * from {{ source("lake", "destinations") }}
)

select
    destination_id,
    name as destination_name,
    workspace,
    api_version,
    state,
    since
from lake_rows
