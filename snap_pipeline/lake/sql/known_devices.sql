-- Identity resolution, step 1: the links of the identity window that concern this hour's events, and the owner of each
-- device. Reads `raw_events` (with file_row_number), `workspaces` and `links` (the columns of `identity_links`,
-- file_index and file_row_number); makes `hour_events`, `resolved_aliases`, `candidate_links`, `crowds`, `devices`
-- and `shared_device_recognitions`.
--
-- A window holds far more links than an hour needs, and most of their columns are wide. A few narrow columns decide
-- which devices and people matter; the wide ones are read once, for those alone (profiles.sql).

-- The hour's events that can be resolved: they have a time and at least one id.

create or replace temp table hour_events as
select
    file_row_number,
    workspace,
    event_time,
    device_number_of(workspace, pseudonym(anonymous_id)) as device_number,
    id_number(workspace, pseudonym(coalesce(user_id, external_ids[1]))) as own_person_number,
    case when coalesce(user_id, external_ids[1]) is null then emails end as emails,
    false as is_of_crowd
from raw_events
where
    is_forgotten is not true
    and coalesce(anonymous_id, user_id, external_ids[1]) is not null
    and event_time is not null;

-- The current id of each previous id, with chains of aliases followed to their end. Ids that were renamed in a circle
-- are one person, under the smallest of them.
create or replace temp table resolved_aliases as
with recursive aliases as (
    select
        alias_number,
        arg_max(person_number, (last_seen_at, person_number)) as person_number
    from links
    where alias_number is not null
    group by all
),

alias_chains as (
    select
        alias_number,
        person_number
    from aliases
    union
    select
        alias_chains.alias_number,
        aliases.person_number
    from alias_chains
    inner join aliases on alias_chains.person_number = aliases.alias_number
),

alias_cycles as (
    select alias_number
    from alias_chains
    where alias_number = person_number
)

select
    alias_chains.alias_number,
    min(alias_chains.person_number) as person_number
from alias_chains
left join aliases on alias_chains.person_number = aliases.alias_number
where aliases.alias_number is null or alias_chains.person_number in (from alias_cycles)
group by all;

create or replace temp view narrow_links as
select
    device_number,
    person_number,
    first_seen_at,
    last_seen_at,
    emails_number,
    kinds,
    clicks,
    choices,
    file_index,
    file_row_number
from links;

-- The links of the devices that this hour's events came from, in few columns.
create or replace temp table candidate_links as
select *
from narrow_links
where device_number in (
    select device_number
    from hour_events
    where device_number is not null
);

-- The people of these events and devices, under all of their ids.
create or replace temp table related_people as
with people as (
    select own_person_number as person_number
    from hour_events
    where own_person_number is not null
    union
    select person_number
    from candidate_links
    where person_number is not null
),

renamed_people as (
    select resolved_aliases.person_number
    from people
    inner join resolved_aliases on people.person_number = resolved_aliases.alias_number
)

from people
union
from renamed_people
union
select alias_number
from resolved_aliases
where person_number in (from people) or person_number in (from renamed_people);

-- The devices that recognized these people; signals without a device are of a device numbered like their person.
create or replace temp table people_devices as
select distinct
    workspace,
    person_number,
    device_number
from links
where person_number in (from related_people);

-- Ids that more devices share than one person has, and which are nobody's: of a shop's tills, of a test account, a
-- constant in the code. A person with several ids is counted under the current one; each former id also alone, since it
-- is separate again if the current one is a crowd's. People whom only their other devices recognized are not counted:
-- they can give nothing to this hour's events.
create or replace temp table crowds as
with current_ids as (
    select
        people_devices.workspace,
        people_devices.device_number,
        coalesce(resolved_aliases.person_number, people_devices.person_number) as person_number
    from people_devices
    left join resolved_aliases on people_devices.person_number = resolved_aliases.alias_number
    where people_devices.device_number != people_devices.person_number
    union all
    select
        workspace,
        device_number,
        person_number
    from people_devices
    where
        device_number != person_number
        and person_number in (
            select alias_number
            from resolved_aliases
        )
),

counted_people as (
    select
        workspace,
        person_number,
        count(distinct device_number) as devices
    from current_ids
    group by all
)

select counted_people.person_number
from counted_people
inner join workspaces on counted_people.workspace = workspaces.name
where counted_people.devices > workspaces.max_devices_per_person;

-- What is signalled under such an id belongs to the device that it came from, as if it had named nobody.
update hour_events
set own_person_number = null, is_of_crowd = true, emails = raw_events.emails
from raw_events
where
    hour_events.file_row_number = raw_events.file_row_number
    and hour_events.own_person_number in (from crowds);

delete from resolved_aliases
where person_number in (from crowds) or alias_number in (from crowds);

-- The links of these people's other devices, and those that servers sent without a device.
insert into candidate_links
with other_devices as (
    select distinct device_number
    from people_devices
    where
        person_number not in (from crowds)
        and device_number not in (
            select device_number
            from candidate_links
        )
)

select *
from narrow_links
where device_number in (from other_devices);

update candidate_links
set person_number = null, kinds = kinds & ~kind_bit('external_id')
where person_number in (from crowds);

create or replace temp table recognitions as
select
    candidate_links.device_number,
    coalesce(resolved_aliases.person_number, candidate_links.person_number) as person_number,
    candidate_links.first_seen_at,
    candidate_links.last_seen_at,
    candidate_links.file_index,
    candidate_links.file_row_number
from candidate_links
left join resolved_aliases on candidate_links.person_number = resolved_aliases.alias_number
where candidate_links.person_number is not null;

-- The owner of each device. Most devices belong to one person.
create or replace temp table devices as
select
    candidate_links.device_number,
    min(recognitions.person_number) as owner_number,
    coalesce(min(recognitions.person_number) != max(recognitions.person_number), false) as is_shared
from (select distinct device_number from candidate_links) as candidate_links
left join recognitions using (device_number)
group by all;

-- The people that a shared device recognized, each with the time since when. A link's first and last time both count:
-- another hour's files may show that somebody else used the device in between.
create or replace temp table shared_device_recognitions as
with recognition_bounds as (
    select
        device_number,
        person_number,
        unnest([first_seen_at, last_seen_at]) as first_seen_at,
        file_index,
        file_row_number
    from recognitions
    where
        device_number in (
            select device_number
            from devices
            where is_shared
        )
),

recognized_people as (
    select
        device_number,
        first_seen_at,
        arg_max(person_number, (file_index, file_row_number)) as person_number
    from recognition_bounds
    group by all
)

from recognized_people
qualify
    person_number is distinct from lag(person_number) over (
        partition by device_number
        order by first_seen_at
    );
