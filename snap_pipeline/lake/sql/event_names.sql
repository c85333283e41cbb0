-- Which Snap name each source name has in each workspace. A row of the home wins over the seeds', and one for the
-- workspace over one for all. An empty Snap name says that the event is deliberately no conversion.
with mapping_rows as (
    select
        folded_name(source_name) as folded,
        present(snap_name) as snap_name,
        present(workspace) as workspace,
        origin
    from event_names_rows
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
