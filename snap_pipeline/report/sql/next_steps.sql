-- What to mend first in each workspace: the parameters by the points that an average conversion would gain, and the
-- events that would gain them. Reads the EMQ marts.
with conversions as (
    select
        workspace,
        sum(events) as events
    from emq_scores
    group by workspace
)

select
    workspace,
    emq_coaching.parameter,
    any_value(emq_coaching.advice) as advice,
    sum(emq_coaching.gain * emq_coaching.events) / any_value(conversions.events) as average_gain,
    max(emq_coaching.gain) as largest_gain,
    list(
        {
            'event_name': emq_coaching.event_name,
            'conversion_type': emq_coaching.conversion_type,
            'completeness': emq_coaching.completeness,
            'gain': emq_coaching.gain
        } order by
            emq_coaching.event_name = 'PURCHASE' and emq_coaching.gain >= 0.1 desc,
            emq_coaching.gain * emq_coaching.events desc
    ) as events
from emq_coaching
inner join conversions using (workspace)
group by workspace, emq_coaching.parameter
order by average_gain desc, emq_coaching.parameter asc
