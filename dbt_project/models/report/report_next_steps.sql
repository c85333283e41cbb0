-- What to fix first in each workspace: its parameters by the points that an average conversion would gain.
with workspace_conversions as (
    select
        workspace,
        sum(events) as events
    from {{ ref("emq_scores") }}
    group by workspace
),

steps as (
    select
        workspace,
        coaching.parameter,
        any_value(coaching.advice) as advice,
        sum(coaching.total_gain) / any_value(workspace_conversions.events) as average_gain,
        max(coaching.gain) as largest_gain
    from {{ ref("emq_coaching") }} as coaching
    inner join workspace_conversions using (workspace)
    group by workspace, coaching.parameter
)

select
    *,
    row_number() over (partition by workspace order by average_gain desc, parameter) as position
from steps
order by workspace, position
