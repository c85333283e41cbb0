-- The raw events and purchases of an hour against the same hours of the last four weeks, by workspace. Reads
-- `accounting` and `parameter_completeness`. An hour counts as off where it is further from the median than chance and
-- the usual spread (MAD, scaled to a standard deviation) explain.
with counts as (
    select
        workspace,
        hour,
        'raw events' as counted,
        max(raw) as events
    from accounting
    group by workspace, hour
    union all
    select
        workspace,
        hour,
        'purchases' as counted,
        sum(events) as events
    from parameter_completeness
    where event_name = 'PURCHASE' and parameter = 'em'
    group by workspace, hour
),

workspaces as (
    select
        workspace,
        min(hour) as first_hour
    from accounting
    group by workspace
),

kinds as (
    select unnest(['raw events', 'purchases']) as counted
),

hours as (
    select unnest($compared_hours::varchar[]) as hour
),

hour_counts as (
    -- An hour in which nothing happened has no row, and is the one to notice.
    select
        workspaces.workspace,
        kinds.counted,
        hours.hour,
        coalesce(counts.events, 0) as events
    from workspaces
    cross join kinds
    cross join hours
    left join counts
        on
            workspaces.workspace = counts.workspace
            and kinds.counted = counts.counted
            and hours.hour = counts.hour
    where hours.hour >= workspaces.first_hour
),

compared as (
    select
        workspace,
        counted,
        any_value(events) filter (where hour = $hour) as events,
        median(events) filter (where hour != $hour) as usual,
        mad(events) filter (where hour != $hour) as spread,
        count(*) filter (where hour != $hour) as samples
    from hour_counts
    group by workspace, counted
)

select
    workspace,
    counted,
    events::bigint as events,
    usual
from compared
where
    samples >= $enough_hours
    and usual >= $enough_events
    and abs(events - usual) > 4 * greatest(1.4826 * spread, sqrt(usual))
order by workspace, counted
