-- Each event's scores in the order of the report: purchases first, then by number of conversions.
select
    *,
    row_number() over (
        partition by workspace
        order by event_name != 'PURCHASE', events desc, event_name, conversion_type
    ) as position
from {{ ref("emq_scores") }}
order by workspace, position
