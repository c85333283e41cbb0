-- The parameters of each event that are below target, by the points that its score would gain at the target, and by
-- what to do first in the workspace. A step is a parameter with its advice.
with gains as (
    select
        *,
        10 * weight / sum(weight) over (partition by workspace, event_name, conversion_type, score_group)
        * greatest(1 - completeness / target, 0) as gain
    from {{ ref("emq_parameters") }}
),

advised as (
    select
        gains.workspace,
        gains.event_name,
        gains.conversion_type,
        gains.events,
        gains.parameter,
        gains.score_group,
        gains.completeness,
        gains.previous_completeness,
        gains.target,
        gains.gain,
        gains.gain * gains.events as total_gain,
        gains.gain * gains.events * coalesce(event_importance.importance, 1) as weighted_gain,
        row_number() over (
            partition by gains.workspace, gains.event_name, gains.conversion_type
            order by gains.gain desc, gains.weight desc, gains.parameter
        ) as rank,
        advices.advice,
        gains.window_end
    from gains
    left join {{ ref("parameter_advice") }} as advices
        on
            gains.parameter = advices.parameter
            and list_contains(string_split(advices.conversion_types, ' '), gains.conversion_type)
    left join {{ ref("event_importance") }} as event_importance on gains.event_name = event_importance.event_name
    where gains.gain > 0
),

steps as (
    -- A share of fewer than ten conversions says little, and one odd event would lead the list.
    select
        workspace,
        parameter,
        advice,
        row_number() over (partition by workspace order by sum(weighted_gain) desc, parameter, advice) as step_position
    from advised
    where events >= 10
    group by workspace, parameter, advice
)

select
    advised.*,
    steps.step_position
from advised
left join steps
    on
        advised.workspace = steps.workspace
        and advised.parameter = steps.parameter
        and advised.advice = steps.advice
        and advised.events >= 10
order by advised.workspace, advised.events desc, advised.event_name, advised.conversion_type, advised.rank
