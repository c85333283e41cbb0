-- The report's sparklines: the score, and what was delivered and waits at all destinations, in the last 14 days.
with days as (
    select
        unnest(generate_series({{ window_end() }} - interval 14 day, {{ window_end() }}, interval 1 day))::date as day
),

workspaces as (
    select workspace from {{ ref("daily_scores") }}
    union
    select workspace from {{ ref("daily_deliveries") }}
),

deliveries as (
    select
        workspace,
        day,
        sum(conversions)::bigint as conversions,
        sum(delivered)::bigint as delivered,
        sum(waiting)::bigint as waiting,
        sum(lost)::bigint as lost
    from {{ ref("daily_deliveries") }}
    group by workspace, day
)

select
    workspaces.workspace,
    days.day,
    daily_scores.score,
    coalesce(deliveries.conversions, 0) as conversions,
    coalesce(deliveries.delivered, 0) as delivered,
    coalesce(deliveries.waiting, 0) as waiting,
    coalesce(deliveries.lost, 0) as lost,
    row_number() over (partition by workspaces.workspace order by days.day) - 1 as chart_slot
from workspaces
cross join days
left join {{ ref("daily_scores") }} as daily_scores
    on workspaces.workspace = daily_scores.workspace and days.day = daily_scores.day
left join deliveries on workspaces.workspace = deliveries.workspace and days.day = deliveries.day
order by workspaces.workspace, days.day
