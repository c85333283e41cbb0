-- What to do first in each workspace: the ranking of emq_coaching, one row for each step. Events are weighed by their
-- importance and conversions.
with workspace_conversions as (
    -- Those that the ranking counts.
    select
        scores.workspace,
        sum(scores.events * coalesce(event_importance.importance, 1)) as weighted_events
    from {{ ref("emq_scores") }} as scores
    left join {{ ref("event_importance") }} as event_importance on scores.event_name = event_importance.event_name
    where scores.events >= 10
    group by scores.workspace
),

steps as (
    select
        workspace,
        coaching.parameter,
        coaching.advice,
        array_to_string(list(distinct coaching.conversion_type order by coaching.conversion_type), ' ')
            as conversion_types,
        sum(coaching.weighted_gain) / any_value(workspace_conversions.weighted_events) as average_gain,
        max(coaching.gain) as largest_gain,
        any_value(coaching.step_position) as position,
        arg_max(coaching.event_name, coaching.weighted_gain) as event_name,
        arg_max(coaching.completeness, coaching.weighted_gain) as completeness,
        arg_max(coaching.target, coaching.weighted_gain) as target
    from {{ ref("report_coaching") }} as coaching
    inner join workspace_conversions using (workspace)
    where coaching.step_position is not null
    group by workspace, coaching.parameter, coaching.advice
)

select *
from steps
order by workspace, position
