-- The advice of emq_coaching, with the place of each event in its step of report_next_steps.
with weighted as (
    select
        coaching.*,
        coaching.total_gain * coalesce(event_importance.importance, 1) as weighted_gain
    from {{ ref("emq_coaching") }} as coaching
    left join {{ ref("event_importance") }} as event_importance on coaching.event_name = event_importance.event_name
)

select
    *,
    row_number() over (
        partition by workspace, parameter, advice
        order by weighted_gain desc, event_name, conversion_type
    ) as position_in_step
from weighted
order by workspace, event_name, conversion_type, rank
