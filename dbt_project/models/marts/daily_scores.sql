-- Match quality by day: the last two weeks of closed hours, for the events that have conversions this week.
with day_parameters as (
    select
        workspace,
        event_name,
        conversion_type,
        parameter,
        strptime(hour[:10], '%Y-%m-%d')::date as day,
        sum(events) as events,
        sum(present) / sum(events) as completeness
    from {{ ref("stg_parameter_completeness") }}
    group by all
),

event_scores as (
    select
        day_parameters.workspace,
        day_parameters.day,
        day_parameters.event_name,
        day_parameters.conversion_type,
        max(day_parameters.events) as events,
        {{ weighted_score("day_parameters.completeness", "match") }} as score,
        max(day_parameters.completeness) filter (where parameter = 'sc_click_id') as click_id,
        max(day_parameters.completeness) filter (where parameter = 'em') as email,
        max(day_parameters.completeness) filter (where parameter = 'ph') as phone,
        max(day_parameters.completeness) filter (where parameter = 'ip_and_user_agent') as ip_and_user_agent
    from day_parameters
    inner join {{ ref("emq_parameters") }}
        using (workspace, event_name, conversion_type, parameter)
    group by all
)

select
    workspace,
    day,
    sum(events)::bigint as conversions,
    sum(score * events) / sum(events) as score,
    sum(click_id * events) / sum(events) filter (where click_id is not null) as click_id,
    sum(email * events) / sum(events) filter (where email is not null) as email,
    sum(phone * events) / sum(events) filter (where phone is not null) as phone,
    sum(ip_and_user_agent * events) / sum(events) filter (where ip_and_user_agent is not null) as ip_and_user_agent
from event_scores
group by workspace, day
order by workspace, day
