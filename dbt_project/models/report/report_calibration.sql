-- Observations for a fit of the weights: Snap's own score of an event and day, and how far each parameter was towards
-- its target in the 168 hours before Snap was asked. Events with fewer than ten conversions in them are left out.
with snap_scores as (
    select
        workspace,
        event_name,
        conversion_type,
        day,
        max(asked_at) as asked_at,
        avg(score) as snap_score
    from {{ ref("stg_snap_scores") }}
    -- The counts of parameters reach back two weeks.
    where asked_at >= {{ window_end() }} - interval 168 hours
    group by all
),

completeness as (
    select
        snap_scores.workspace,
        snap_scores.event_name,
        snap_scores.conversion_type,
        snap_scores.day,
        snap_scores.snap_score,
        counts.parameter,
        sum(counts.present) / sum(counts.events) as completeness
    from snap_scores
    inner join {{ ref("stg_parameter_completeness") }} as counts using (workspace, event_name, conversion_type)
    where
        strptime(counts.hour, '%Y-%m-%dT%H') >= snap_scores.asked_at - interval 168 hours
        and strptime(counts.hour, '%Y-%m-%dT%H') < snap_scores.asked_at
    group by all
    having sum(counts.events) >= 10
)

select
    completeness.workspace,
    completeness.event_name,
    completeness.conversion_type,
    completeness.day,
    completeness.snap_score,
    weights.parameter,
    weights.weight,
    least(completeness.completeness / weights.target, 1) as reached
from completeness
inner join {{ ref("parameter_weights") }} as weights
    on
        completeness.parameter = weights.parameter
        and list_contains(string_split(weights.conversion_types, ' '), completeness.conversion_type)
where weights.score_group = 'match' and weights.weight > 0
order by all
