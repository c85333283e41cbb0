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
create or replace temp table known as
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

-- Where the newest value of each kind stands, for each e-mail address that a subject was seen with.
create or replace temp table newest_by_emails as
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
        subject_of(
            coalesce(canonical.person_number, known.person_number),
            devices,
            of_shared_devices.person_number
        ) as subject,
        known.person_number is not null as is_certain,
        known.emails_number,
        known.kinds,
        place_of(known.file_index, known.file_row_number, known.last_seen_at) as place
    from known
    inner join devices on known.device_number = devices.device_number
    left join canonical on known.person_number = canonical.alias_number
    left join of_shared_devices
        on known.file_index = of_shared_devices.file_index and known.file_row_number = of_shared_devices.file_row_number
    where
        (known.kinds != 0 or known.emails_number is not null)
        and (known.person_number is not null or not devices.is_shared or of_shared_devices.file_index is not null)
)

select
    subject,
    is_certain,
    emails_number,
    max(place) filter (where emails_number is not null) as em,
    max(place) filter (where gives(kinds, 'ph')) as ph,
    max(place) filter (where gives(kinds, 'fn')) as fn,
    max(place) filter (where gives(kinds, 'ln')) as ln,
    max(place) filter (where gives(kinds, 'ge')) as ge,
    max(place) filter (where gives(kinds, 'ct')) as ct,
    max(place) filter (where gives(kinds, 'st')) as st,
    max(place) filter (where gives(kinds, 'zp')) as zp,
    max(place) filter (where gives(kinds, 'country')) as country,
    max(place) filter (where gives(kinds, 'external_id')) as external_id,
    max(place) filter (where gives(kinds, 'sc_cookie1')) as sc_cookie1
from identifying
group by all;

-- The few links in which these values stand.
create or replace temp table given as
with places as (
    select distinct unnest([em, ph, fn, ln, ge, ct, st, zp, country, external_id, sc_cookie1]) as place
    from newest_by_emails
)

select
    places.place,
    links.em,
    links.ph,
    links.fn,
    links.ln,
    links.ge,
    links.ct,
    links.st,
    links.zp,
    links.country,
    links.external_id,
    links.sc_cookie1,
    links.first_name_v2,
    links.last_name_v2,
    links.city_v2
from links
inner join places
    on
        links.file_index = file_index_of(places.place)
        and links.file_row_number = file_row_number_of(places.place);

create or replace temp table profiles as
with identities as (
    select
        newest_by_emails.*,
        string_split(given.em, ',') as emails
    from newest_by_emails
    left join given on newest_by_emails.em = given.place
),

emails_of_people as (
    select
        subject,
        flatten(list(emails)) as emails
    from identities
    where is_certain and emails is not null
    group by all
),

newest_emails as (
    select
        subject,
        arg_max(emails, em) as emails
    from identities
    where not is_certain and emails is not null
    group by all
),

-- Without a user id, another e-mail address is another person: a person's are those that they logged in with, a
-- device's are the newest.
of_one_person as (
    select identities.*
    from identities
    left join emails_of_people using (subject)
    left join newest_emails using (subject)
    where
        is_certain
        or identities.emails is null
        or coalesce(list_has_any(identities.emails, coalesce(emails_of_people.emails, newest_emails.emails)), true)
),

newest as (
    select
        subject,
        flatten(list(emails)) as emails,
        max(em) as em,
        max(ph) as ph,
        max(fn) as fn,
        max(ln) as ln,
        max(ge) as ge,
        max(ct) as ct,
        max(st) as st,
        max(zp) as zp,
        max(country) as country,
        max(external_id) as external_id,
        max(sc_cookie1) as sc_cookie1
    from of_one_person
    group by subject
),

-- Most often all of it stands in one link.
with_places as (
    select
        *,
        unnest(list_distinct([em, ph, fn, ln, ge, ct, st, zp, country, external_id, sc_cookie1])) as place
    from newest
)

select
    newest.subject,
    any_value(newest.emails) as emails,
    {
        'em': string_split(any_value(given.em) filter (where place = newest.em), ','),
        'ph': string_split(any_value(given.ph) filter (where place = newest.ph), ','),
        'fn': any_value(given.fn) filter (where place = newest.fn),
        'ln': any_value(given.ln) filter (where place = newest.ln),
        'ge': any_value(given.ge) filter (where place = newest.ge),
        'ct': any_value(given.ct) filter (where place = newest.ct),
        'st': any_value(given.st) filter (where place = newest.st),
        'zp': any_value(given.zp) filter (where place = newest.zp),
        'country': any_value(given.country) filter (where place = newest.country),
        'external_id': string_split(any_value(given.external_id) filter (where place = newest.external_id), chr(31)),
        'sc_cookie1': any_value(given.sc_cookie1) filter (where place = newest.sc_cookie1),
        'first_name_v2': any_value(coalesce(given.first_name_v2, given.fn)) filter (where place = newest.fn),
        'last_name_v2': any_value(coalesce(given.last_name_v2, given.ln)) filter (where place = newest.ln),
        'city_v2': any_value(coalesce(given.city_v2, given.ct)) filter (where place = newest.ct)
    } as linked
from with_places as newest
inner join given using (place)
group by newest.subject;

-- What devices said, clicks and choices of consent, and whose words these are.
create or replace temp table said as
with words as (
    select
        device_number,
        person_number,
        file_index,
        file_row_number,
        'click' as kind,
        unnest(string_split(clicks, chr(31))) as said
    from known
    where clicks is not null
    union all
    select
        device_number,
        person_number,
        file_index,
        file_row_number,
        'choice' as kind,
        unnest(string_split(choices, chr(31))) as said
    from known
    where choices is not null
),

timed as (
    select
        * exclude (said),
        moment_of(said) as said_at,
        word_of(said) as word
    from words
)

select
    timed.* exclude (person_number),
    subject_of(
        coalesce(canonical.person_number, timed.person_number), devices, recognitions_of_shared.person_number
    ) as subject
from timed
inner join devices on timed.device_number = devices.device_number
left join canonical on timed.person_number = canonical.alias_number
asof left join recognitions_of_shared
    on
        timed.device_number = recognitions_of_shared.device_number
        and timed.said_at >= recognitions_of_shared.first_seen_at;

create or replace temp table clicks as
select
    subject,
    said_at as clicked_at,
    max(word) as click_id
from said
where kind = 'click'
group by all;

-- What each subject chose of consent, and when: a device that repeats its choice has not chosen again.
create or replace temp table choices as
with first_owners as (
    select
        device_number,
        arg_min(person_number, first_seen_at) as person_number
    from recognitions_of_shared
    group by device_number
),

-- Who logs in first at a device answered its banner before, even if others log in there later.
choosers as (
    from said
    where kind = 'choice'
    union all
    select said.* replace (first_owners.person_number as subject)
    from said
    inner join first_owners on said.subject = first_owners.device_number
    where said.kind = 'choice'
),

chosen as (
    from choosers
    qualify
        word is distinct from lag(word) over (
            partition by device_number, subject
            order by said_at, file_index, file_row_number, word
        )
)

select
    subject,
    said_at,
    -- Of several choices of one moment the strictest.
    arg_min(word, case word when 'denied' then 0 when 'limited' then 1 else 2 end) as state
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
