-- How completely each event carries the parameters that count in its scores, the heaviest first.
select
    *,
    row_number() over (
        partition by workspace, event_name, conversion_type
        order by score_group desc, weight desc, parameter
    ) as position
from {{ ref("emq_parameters") }}
where weight > 0
order by workspace, event_name, conversion_type, position
