-- The advice of emq_coaching, with the place of each event in its step of report_next_steps.
select
    *,
    row_number() over (
        partition by workspace, parameter, advice
        order by weighted_gain desc, event_name, conversion_type
    ) as position_in_step
from {{ ref("emq_coaching") }}
order by workspace, event_name, conversion_type, rank
