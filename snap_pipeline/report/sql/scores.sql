-- Each event's scores, how completely it carries each parameter, and what would raise it most. Reads the EMQ marts.
with parameters as (
    select
        workspace,
        event_name,
        conversion_type,
        list({
            'name': parameter,
            'group': score_group,
            'weight': weight,
            'completeness': completeness,
            'linked': linked,
            'previous': previous_completeness,
            'target': target
        } order by score_group desc, weight desc, parameter asc) as parameters
    from emq_parameters
    where weight > 0
    group by all
),

coaching as (
    select
        workspace,
        event_name,
        conversion_type,
        list({
            'parameter': parameter,
            'group': score_group,
            'gain': gain,
            'completeness': completeness,
            'target': target,
            'advice': advice
        } order by rank) as coaching
    from emq_coaching
    group by all
)

select
    workspace,
    event_name,
    conversion_type,
    events,
    score,
    previous_score,
    commerce_score,
    previous_commerce_score,
    trend,
    coalesce(parameters, []) as parameters,
    coalesce(coaching, []) as coaching
from emq_scores
left join parameters using (workspace, event_name, conversion_type)
left join coaching using (workspace, event_name, conversion_type)
order by event_name != 'PURCHASE' asc, events desc, event_name asc, conversion_type asc
