-- Each event's scores in the order of the report: purchases first, then by number of conversions. Snap's own score is
-- the newest of the week, as the mean over the workspace's pixels and apps.
with newest_snap_scores as (
    select *
    from {{ ref("stg_snap_scores") }}
    where asked_at >= {{ window_end() }} - interval 168 hours
    qualify day = max(day) over (partition by destination_id, asset)
),

snap_scores as (
    select
        workspace,
        event_name,
        conversion_type,
        avg(score) as snap_score
    from newest_snap_scores
    group by all
)

select
    scores.*,
    snap_scores.snap_score,
    row_number() over (
        partition by scores.workspace
        order by scores.event_name != 'PURCHASE', scores.events desc, scores.event_name, scores.conversion_type
    ) as position
from {{ ref("emq_scores") }} as scores
left join snap_scores using (workspace, event_name, conversion_type)
order by scores.workspace, position
