-- Which Snap name each source name has in each workspace. A row of the home wins over the seeds', and one for the
-- workspace over one for all. An empty Snap name says that the event is deliberately no conversion. One that folds to a
-- standard name is that name, since the rules of PURCHASE hold for "purchase" as well; any other stays as it is given.
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
        coalesce(standard_names.snap_name, present(event_names_rows.snap_name)) as snap_name,
        present(event_names_rows.workspace) as workspace,
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
