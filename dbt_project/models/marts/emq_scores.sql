-- One score from 0 to 10 for each event: the weighted share of its parameters' targets that is reached.
with weekly_scores as (
    select
        workspace,
        event_name,
        conversion_type,
        window_end,
        any_value(events) as events,
        any_value(previous_events) as previous_events,
        {{ weighted_score("completeness", "match") }} as score,
        {{ weighted_score("previous_completeness", "match") }} as previous_score,
        {{ weighted_score("completeness", "commerce") }} as commerce_score,
        {{ weighted_score("previous_completeness", "commerce") }} as previous_commerce_score,
        max(completeness) filter (where parameter = 'sc_click_id') as click_id,
        max(completeness) filter (where parameter = 'em') as email,
        max(completeness) filter (where parameter = 'ph') as phone,
        max(completeness) filter (where parameter = 'ip_and_user_agent') as ip_and_user_agent,
        max(completeness) filter (where parameter = 'external_id') as external_id,
        max(completeness) filter (where parameter = 'sc_cookie1') as cookie,
        max(completeness) filter (where parameter = 'madid') as mobile_ad_id,
        max(completeness) filter (where parameter = 'value') as value,
        max(completeness) filter (where parameter = 'currency') as currency,
        max(completeness) filter (where parameter = 'content_ids') as content_ids,
        max(completeness) filter (where parameter = 'order_id') as order_id,
        max(previous_completeness) filter (where parameter = 'sc_click_id') as previous_click_id,
        max(previous_completeness) filter (where parameter = 'em') as previous_email
    from {{ ref("emq_parameters") }}
    group by all
)

select
    *,
    case
        when previous_score is null then 'new'
        when score - previous_score >= 0.1 then 'up'
        when score - previous_score <= -0.1 then 'down'
        else 'steady'
    end as trend
from weekly_scores
order by workspace, events desc, event_name, conversion_type
