-- The parameters of each event that are below target, by the points that its score would gain at the target.
with gains as (
    select
        *,
        10 * weight / sum(weight) over (partition by workspace, event_name, conversion_type, score_group)
        * greatest(1 - completeness / target, 0) as gain
    from {{ ref("emq_parameters") }}
)

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
where gains.gain > 0
order by gains.workspace, gains.events desc, gains.event_name, gains.conversion_type, rank
