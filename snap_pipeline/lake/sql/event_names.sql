-- The Snap event name of each source name, by workspace. A row of the home overrides the seeds', and one for the
-- workspace overrides one for all. An empty Snap name marks an event that is deliberately no conversion. A Snap name in
-- another spelling of a standard name becomes that name, since the rules of PURCHASE hold for "purchase" as well; any
-- other name stays as it is given.
-- Reads `event_names_rows`, `snap_event_names`, `workspaces`.
with standard_names as (
    select
        folded_name(snap_name) as folded,
        min(snap_name) as snap_name
    from snap_event_names
    group by all
),

mapping_rows as (
    select
        folded_name(event_names_rows.source_name) as folded,
        coalesce(standard_names.snap_name, null_if_blank(event_names_rows.snap_name)) as snap_name,
        null_if_blank(event_names_rows.workspace) as workspace,
        event_names_rows.origin
    from event_names_rows
    left join standard_names on folded_name(event_names_rows.snap_name) = standard_names.folded
)

select
    workspaces.name as workspace,
    mapping_rows.folded,
    arg_max(
        { 'snap_name': mapping_rows.snap_name },
        { 'own': mapping_rows.workspace is not null, 'home': mapping_rows.origin = 'home' }
    ).snap_name as snap_name
from workspaces
inner join mapping_rows on coalesce(mapping_rows.workspace, workspaces.name) = workspaces.name
group by workspaces.name, mapping_rows.folded
