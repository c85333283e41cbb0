-- The advice of emq_coaching with its places on the command line and in the report.
select
    *,
    row_number() over (
        order by event_name != 'PURCHASE', gain desc, parameter, workspace, event_name, conversion_type
    ) as position,
    row_number() over (
        partition by workspace, parameter
        order by event_name = 'PURCHASE' and gain >= 0.1 desc, total_gain desc, event_name, conversion_type
    ) as position_in_step
from {{ ref("emq_coaching") }}
order by position
