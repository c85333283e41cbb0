-- How completely each event carries each parameter that applies to it: the seven days that end with the last closed
-- hour, and the seven before.
with hourly_counts as (
    select
        *,
        hour >= {{ hour_key(168) }} as is_this_week
    from {{ ref("stg_parameter_completeness") }}
),

hourly_events as (
    -- Every parameter's row repeats the number of events of its hour.
    select
        workspace,
        event_name,
        conversion_type,
        hour,
        is_this_week,
        max(events) as events
    from hourly_counts
    group by all
),

weekly_events as (
    select
        workspace,
        event_name,
        conversion_type,
        coalesce(sum(events) filter (where is_this_week), 0) as events,
        coalesce(sum(events) filter (where not is_this_week), 0) as previous_events
    from hourly_events
    group by all
    having coalesce(sum(events) filter (where is_this_week), 0) > 0
),

weekly_presence as (
    select
        workspace,
        event_name,
        conversion_type,
        parameter,
        coalesce(sum(present) filter (where is_this_week), 0) as present,
        coalesce(sum(linked) filter (where is_this_week), 0) as linked,
        coalesce(sum(present) filter (where not is_this_week), 0) as previous_present
    from hourly_counts
    group by all
),

applicable_parameters as (
    select
        weekly_events.*,
        weights.parameter,
        weights.score_group,
        weights.weight,
        weights.target
    from weekly_events
    inner join {{ ref("parameter_weights") }} as weights
        on list_contains(string_split(weights.conversion_types, ' '), weekly_events.conversion_type)
    left join {{ ref("snap_event_names") }} as snap_events on weekly_events.event_name = snap_events.snap_name
    where
        (weights.score_group = 'match' or coalesce(snap_events.is_commerce, false))
        and (
            weights.event_names is null
            or list_contains(string_split(weights.event_names, ' '), weekly_events.event_name)
        )
)

select
    applicable_parameters.workspace,
    applicable_parameters.event_name,
    applicable_parameters.conversion_type,
    applicable_parameters.parameter,
    applicable_parameters.score_group,
    applicable_parameters.weight,
    applicable_parameters.target,
    applicable_parameters.events::bigint as events,
    coalesce(weekly_presence.present, 0)::bigint as present,
    coalesce(weekly_presence.present, 0) / applicable_parameters.events as completeness,
    coalesce(weekly_presence.linked, 0) / applicable_parameters.events as linked,
    applicable_parameters.previous_events::bigint as previous_events,
    case
        when applicable_parameters.previous_events > 0
            then coalesce(weekly_presence.previous_present, 0) / applicable_parameters.previous_events
    end as previous_completeness,
    {{ window_end() }} as window_end
from applicable_parameters
left join weekly_presence using (workspace, event_name, conversion_type, parameter)
