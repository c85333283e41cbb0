-- The match parameters that the conversions of the last day carry much less often than those of the week before. Reads
-- `parameter_completeness` and `emq_parameters`.
with counts as (
    select
        workspace,
        event_name,
        conversion_type,
        parameter,
        sum(events) filter (where hour >= $day) as events,
        sum(present) filter (where hour >= $day) / sum(events) filter (where hour >= $day) as completeness,
        sum(events) filter (where hour < $day) as previous_events,
        sum(present) filter (where hour < $day) / sum(events) filter (where hour < $day) as previous_completeness
    from parameter_completeness
    group by all
)

select
    counts.workspace,
    counts.event_name,
    counts.parameter,
    counts.previous_completeness,
    counts.completeness
from counts
inner join emq_parameters
    on
        counts.workspace = emq_parameters.workspace
        and counts.event_name = emq_parameters.event_name
        and counts.conversion_type = emq_parameters.conversion_type
        and counts.parameter = emq_parameters.parameter
where
    emq_parameters.score_group = 'match'
    and emq_parameters.weight > 0
    and least(counts.events, counts.previous_events) >= $enough_events
    and (
        counts.previous_completeness - counts.completeness > $largest_drop
        -- A parameter that few events carry has fewer points to lose.
        or (counts.previous_completeness >= 0.05 and counts.completeness < counts.previous_completeness / 2)
    )
order by counts.completeness - counts.previous_completeness, counts.workspace, counts.event_name, counts.parameter
