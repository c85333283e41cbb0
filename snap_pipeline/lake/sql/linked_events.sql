-- What the links of the trailing window say of the hour's events: whose each event is, and what is known of them. Reads
-- `raw_events` (with file_row_number), `links` (the columns of `identity_links`, file_index and file_row_number) and
-- `workspaces`; makes `linked_events`, a row for each event of which anything is known, and `profiles`, which those
-- rows point to.
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

-- What is known of the devices that events came from, in few columns.
create or replace temp table links_of_askers as
select
    device_number,
    person_number,
    first_seen_at,
    last_seen_at,
    clicks,
    choices,
    file_index,
    file_row_number
from links
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
    from links_of_askers
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
create or replace temp table other_devices as
select distinct device_number
from links
where
    person_number in (from sought_people)
    and device_number not in (
        select device_number
        from links_of_askers
    );

create or replace temp table known as
from links_of_askers
union all
select
    device_number,
    person_number,
    first_seen_at,
    last_seen_at,
    clicks,
    choices,
    file_index,
    file_row_number
from links
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

-- The newest value of each kind, for each e-mail address that a subject was seen with.
create or replace temp table profiles_by_email as
with of_shared_devices as (
    -- What was given at a shared device without a user id is of whom it had recognized last. If it recognized somebody
    -- else meanwhile, as events of another hour's files may tell, it is nobody's.
    select
        known.file_index,
        known.file_row_number,
        before.person_number
    from known
    inner join devices on known.device_number = devices.device_number
    asof left join recognitions_of_shared as before
        on known.device_number = before.device_number and known.first_seen_at >= before.first_seen_at
    asof left join recognitions_of_shared as after
        on known.device_number = after.device_number and known.last_seen_at >= after.first_seen_at
    where
        devices.is_shared
        and known.person_number is null
        and before.first_seen_at is not distinct from after.first_seen_at
),

identifying as (
    select
        links.* exclude (device_number, clicks, choices),
        subject_of(
            coalesce(canonical.person_number, links.person_number),
            devices,
            of_shared_devices.person_number
        ) as subject,
        links.person_number is not null as is_certain,
        -- What is newest: by time, and of one moment by where it stands.
        epoch_us(links.last_seen_at)::hugeint * 18446744073709551616
        + links.file_index::hugeint * 1099511627776
        + links.file_row_number as rank
    from links
    inner join devices on links.device_number = devices.device_number
    left join canonical on links.person_number = canonical.alias_number
    left join of_shared_devices
        on links.file_index = of_shared_devices.file_index and links.file_row_number = of_shared_devices.file_row_number
    where links.person_number is not null or not devices.is_shared or of_shared_devices.file_index is not null
)

select
    subject,
    is_certain,
    em,
    max(rank) as rank,
    {
        'ph': max({ 'rank': rank, 'value': ph }) filter (where ph is not null),
        'fn': max({ 'rank': rank, 'value': fn, 'v2': first_name_v2 }) filter (where fn is not null),
        'ln': max({ 'rank': rank, 'value': ln, 'v2': last_name_v2 }) filter (where ln is not null),
        'ge': max({ 'rank': rank, 'value': ge }) filter (where ge is not null),
        'ct': max({ 'rank': rank, 'value': ct, 'v2': city_v2 }) filter (where ct is not null),
        'st': max({ 'rank': rank, 'value': st }) filter (where st is not null),
        'zp': max({ 'rank': rank, 'value': zp }) filter (where zp is not null),
        'country': max({ 'rank': rank, 'value': country }) filter (where country is not null),
        'external_id': max({ 'rank': rank, 'value': external_id }) filter (where external_id is not null),
        'sc_cookie1': max({ 'rank': rank, 'value': sc_cookie1 }) filter (where sc_cookie1 is not null)
    } as newest
from identifying
group by all;

create or replace temp table profiles as
with emails_of_people as (
    select
        subject,
        flatten(list(string_split(em, ','))) as emails
    from profiles_by_email
    where is_certain and em is not null
    group by all
),

newest_emails as (
    select
        subject,
        string_split(arg_max(em, rank), ',') as emails
    from profiles_by_email
    where not is_certain and em is not null
    group by all
),

-- Without a user id, another e-mail address is another person: a person's are those that they logged in with, a
-- device's are the newest.
of_one_person as (
    select profiles_by_email.*
    from profiles_by_email
    left join emails_of_people using (subject)
    left join newest_emails using (subject)
    where
        is_certain
        or em is null
        or coalesce(
            list_has_any(string_split(em, ','), coalesce(emails_of_people.emails, newest_emails.emails)), true
        )
)

select
    subject,
    flatten(list(string_split(em, ','))) as emails,
    {
        'em': string_split(arg_max(em, rank) filter (where em is not null), ','),
        'ph': string_split(max(newest.ph).value, ','),
        'fn': max(newest.fn).value,
        'ln': max(newest.ln).value,
        'ge': max(newest.ge).value,
        'ct': max(newest.ct).value,
        'st': max(newest.st).value,
        'zp': max(newest.zp).value,
        'country': max(newest.country).value,
        'external_id': string_split(max(newest.external_id).value, chr(31)),
        'sc_cookie1': max(newest.sc_cookie1).value,
        'first_name_v2': coalesce(max(newest.fn).v2, max(newest.fn).value),
        'last_name_v2': coalesce(max(newest.ln).v2, max(newest.ln).value),
        'city_v2': coalesce(max(newest.ct).v2, max(newest.ct).value)
    } as linked
from of_one_person
group by subject;

create or replace temp table clicks as
with clicked as (
    select
        known.device_number,
        known.person_number,
        clicked.click.clicked_at as clicked_at,
        clicked.click.click_id as click_id
    from known, unnest(known.clicks) as clicked (click)
    where known.clicks is not null
)

select
    subject_of(
        coalesce(canonical.person_number, clicked.person_number), devices, recognitions_of_shared.person_number
    ) as subject,
    clicked.clicked_at,
    max(clicked.click_id) as click_id
from clicked
inner join devices on clicked.device_number = devices.device_number
left join canonical on clicked.person_number = canonical.alias_number
asof left join recognitions_of_shared
    on
        clicked.device_number = recognitions_of_shared.device_number
        and clicked.clicked_at >= recognitions_of_shared.first_seen_at
group by all;

-- What each subject chose of consent, and when: a device that repeats its choice has not chosen again.
create or replace temp table choices as
with said as (
    select
        known.device_number,
        known.person_number,
        known.file_index,
        known.file_row_number,
        stated.choice.state as state,
        stated.choice.said_at as said_at
    from known, unnest(known.choices) as stated (choice)
    where known.choices is not null
),

attributed as (
    select
        said.*,
        subject_of(
            coalesce(canonical.person_number, said.person_number), devices, recognitions_of_shared.person_number
        ) as subject
    from said
    inner join devices on said.device_number = devices.device_number
    left join canonical on said.person_number = canonical.alias_number
    asof left join recognitions_of_shared
        on
            said.device_number = recognitions_of_shared.device_number
            and said.said_at >= recognitions_of_shared.first_seen_at
),

first_owners as (
    select
        device_number,
        arg_min(person_number, first_seen_at) as person_number
    from recognitions_of_shared
    group by device_number
),

-- Who logs in first at a device answered its banner before, even if others log in there later.
choosers as (
    from attributed
    union all
    select attributed.* replace (first_owners.person_number as subject)
    from attributed
    inner join first_owners on attributed.subject = first_owners.device_number
),

chosen as (
    from choosers
    qualify
        state is distinct from lag(state) over (
            partition by device_number, subject
            order by said_at, file_index, file_row_number, state
        )
)

select
    subject,
    said_at,
    -- Of several choices of one moment the strictest.
    arg_min(state, case state when 'denied' then 0 when 'limited' then 1 else 2 end) as state
from chosen
group by all;

create or replace temp table linked_events as
with recognized as (
    select
        askers.*,
        coalesce(
            subject_of(
                coalesce(canonical.person_number, askers.own_person_number),
                devices,
                recognitions_of_shared.person_number
            ),
            askers.device_number
        ) as subject
    from askers
    left join canonical on askers.own_person_number = canonical.alias_number
    left join devices on askers.device_number = devices.device_number
    asof left join recognitions_of_shared
        on
            askers.device_number = recognitions_of_shared.device_number
            and askers.event_time >= recognitions_of_shared.first_seen_at
),

profiled as (
    select
        recognized.*,
        profiles.subject as profile,
        -- An event that names another e-mail address is another person's.
        recognized.emails is not null
        and not coalesce(list_has_any(hashed_emails(recognized.emails), profiles.emails), true) as is_anothers
    from recognized
    left join profiles using (subject)
)

select
    profiled.file_row_number,
    case when not profiled.is_anothers then profiled.profile end as profile,
    case
        when
            not profiled.is_anothers
            and profiled.event_time - clicks.clicked_at <= workspaces.click_window_days * interval 1 day
            then clicks.click_id
    end as linked_click_id,
    choices.state as linked_consent
from profiled
inner join workspaces on profiled.workspace = workspaces.name
asof left join clicks on profiled.subject = clicks.subject and profiled.event_time > clicks.clicked_at
asof left join choices on profiled.subject = choices.subject and profiled.event_time >= choices.said_at
