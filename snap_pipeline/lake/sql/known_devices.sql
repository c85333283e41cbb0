-- The hour's events as those of whom something may be known, and whose their devices are. Reads `raw_events` (with
-- file_row_number) and `links` (the columns of `identity_links`, file_index and file_row_number); makes `askers`,
-- `canonical`, `known`, `devices` and `recognitions_of_shared`.
--
-- A window holds far more links than an hour needs, and most of their columns are wide. So a few narrow ones find out
-- which devices and people matter, and the others are read once, for those alone.

create or replace temp table askers as
select
    file_row_number,
    workspace,
    event_time,
    device_number_of(workspace, pseudonym(anonymous_id)) as device_number,
    id_number(workspace, pseudonym(coalesce(user_id, external_ids[1]))) as own_person_number,
    case when coalesce(user_id, external_ids[1]) is null then emails end as emails
from raw_events
where
    is_forgotten is not true
    and coalesce(anonymous_id, user_id, external_ids[1]) is not null
    and event_time is not null;

-- Who a previous id belongs to now, an alias of an alias followed to its end. Ids that were renamed in a circle are one
-- person, under any one of them.
create or replace temp table canonical as
with recursive aliases as (
    select
        alias_number,
        arg_max(person_number, (last_seen_at, person_number)) as person_number
    from links
    where alias_number is not null
    group by all
),

followed as (
    select
        alias_number,
        person_number
    from aliases
    union
    select
        followed.alias_number,
        aliases.person_number
    from followed
    inner join aliases on followed.person_number = aliases.alias_number
),

circular as (
    select alias_number
    from followed
    where alias_number = person_number
)

select
    followed.alias_number,
    min(followed.person_number) as person_number
from followed
left join aliases on followed.person_number = aliases.alias_number
where aliases.alias_number is null or followed.person_number in (from circular)
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

-- What is known of the devices that events came from, in few columns.
create or replace temp table known as
select *
from narrow_links
where device_number in (
    select device_number
    from askers
    where device_number is not null
);

-- The people of these events and devices, under each of their names.
create or replace temp table sought_people as
with people as (
    select own_person_number as person_number
    from askers
    where own_person_number is not null
    union
    select person_number
    from known
    where person_number is not null
),

renamed as (
    select canonical.person_number
    from people
    inner join canonical on people.person_number = canonical.alias_number
)

from people
union
from renamed
union
select alias_number
from canonical
where person_number in (from people) or person_number in (from renamed);

-- The other devices of these people, and what servers said of them.
insert into known
with other_devices as (
    select distinct device_number
    from links
    where
        person_number in (from sought_people)
        and device_number not in (
            select device_number
            from known
        )
)

select *
from narrow_links
where device_number in (from other_devices);

create or replace temp table recognitions as
select
    known.device_number,
    coalesce(canonical.person_number, known.person_number) as person_number,
    known.first_seen_at,
    known.last_seen_at,
    known.file_index,
    known.file_row_number
from known
left join canonical on known.person_number = canonical.alias_number
where known.person_number is not null;

-- Most devices are one person's.
create or replace temp table devices as
select
    known.device_number,
    min(recognitions.person_number) as owner_number,
    coalesce(min(recognitions.person_number) != max(recognitions.person_number), false) as is_shared
from (select distinct device_number from known) as known
left join recognitions using (device_number)
group by all;

-- Whom a shared device recognized, and since when. Another hour's files may tell of somebody who was there between the
-- first and the last time of a stretch.
create or replace temp table recognitions_of_shared as
with moments as (
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

recognized as (
    select
        device_number,
        first_seen_at,
        arg_max(person_number, (file_index, file_row_number)) as person_number
    from moments
    group by all
)

from recognized
qualify
    person_number is distinct from lag(person_number) over (
        partition by device_number
        order by first_seen_at
    );
