-- What the links of the trailing window say of the hour's events: whose each event is, and what is known of them. Reads
-- `raw_events` (with file_row_number), `links` (hour and the columns of `identity_links`) and `workspaces`; makes
-- `linked_events`, a row for each event of which anything is known, and `profiles`, which those rows point to.

create or replace temp table askers as
select
    file_row_number,
    workspace,
    pseudonym(anonymous_id) as anonymous_id,
    pseudonym(coalesce(user_id, external_ids[1])) as own_person,
    event_time,
    case when coalesce(user_id, external_ids[1]) is null then emails end as emails
from raw_events
where not is_forgotten and coalesce(anonymous_id, user_id, external_ids[1]) is not null and event_time is not null;

-- Who a previous id belongs to now, an alias of an alias followed to its end.
create or replace temp table canonical as
with recursive aliases as (
    select
        workspace,
        anonymous_id as alias,
        arg_max(person, (last_seen_at, person)) as person
    from links
    where is_alias
    group by all
),

followed as (
    select
        workspace,
        alias,
        person,
        1 as steps
    from aliases
    union all
    select
        followed.workspace,
        followed.alias,
        aliases.person,
        followed.steps + 1
    from followed
    inner join aliases on followed.workspace = aliases.workspace and followed.person = aliases.alias
    where followed.steps < 10 and aliases.person != followed.alias
)

select
    workspace,
    alias,
    arg_max(person, steps) as person
from followed
group by all;

-- The people of the hour's events and of the devices that they came from, under each of their names.
create or replace temp table sought_people as
with devices as (
    select distinct id_number(workspace, anonymous_id) as device_number from askers
),

people as (
    select
        workspace,
        own_person as person
    from askers
    where own_person is not null
    union
    select
        workspace,
        person
    from links
    where person is not null and device_number in (from devices)
),

renamed as (
    select
        people.workspace,
        coalesce(canonical.person, people.person) as person
    from people
    left join canonical on people.workspace = canonical.workspace and people.person = canonical.alias
)

select id_number(workspace, person) as person_number from people
union
select id_number(workspace, person) as person_number from renamed
union
select id_number(canonical.workspace, canonical.alias) as person_number
from canonical
inner join renamed using (workspace, person);

-- Every link of the devices that the events came from, and of those that their people used.
create or replace temp table known as
with sought_devices as (
    select id_number(workspace, anonymous_id) as device_number from askers
    where anonymous_id is not null
    union
    select device_number from links
    where person_number in (from sought_people)
),

sought as (
    select * from links
    where device_number in (from sought_devices)
)

select
    sought.* exclude (person),
    coalesce(canonical.person, sought.person) as person,
    sought.person as person_as_given,
    row_number() over (
        order by
            sought.last_seen_at, sought.hour, sought.workspace, sought.anonymous_id, sought.person,
            sought.first_seen_at, sought.is_alias
    ) as age_rank
from sought
inner join workspaces on sought.workspace = workspaces.name
left join canonical on sought.workspace = canonical.workspace and sought.person = canonical.alias
where
    sought.hour > strftime(
        getvariable('hour_end') - interval 1 hour - workspaces.identity_window_days * interval 1 day, '%Y-%m-%dT%H'
    );

-- Who was recognized at an anonymous id, and since when. Most are one person's.
create or replace temp table recognitions as
select
    workspace,
    anonymous_id,
    person,
    first_seen_at,
    max(age_rank) as age_rank
from known
where anonymous_id is not null and person is not null
group by all;

create or replace temp table owners as
select
    workspace,
    anonymous_id,
    min(person) as person,
    min(person) != max(person) as is_shared
from recognitions
group by all;

create or replace temp table recognitions_of_shared as
select
    recognitions.workspace,
    recognitions.anonymous_id,
    recognitions.first_seen_at,
    arg_max(recognitions.person, recognitions.age_rank) as person
from recognitions
inner join owners using (workspace, anonymous_id)
where owners.is_shared
group by all;

-- Whose each link is. What was learnt at a shared device without a user id is of whom it had last recognized; unless
-- it names another e-mail address than theirs.
create or replace temp table attributed as
with emails_of_people as (
    select
        workspace,
        person,
        list_distinct(flatten(list(em))) as em
    from known
    where person is not null and em is not null
    group by all
),

supposed as (
    select
        known.* exclude (person),
        coalesce(
            known.person,
            case when owners.is_shared then recognitions_of_shared.person else owners.person end
        ) as person,
        known.person is not null as is_certain
    from known
    left join owners using (workspace, anonymous_id)
    asof left join recognitions_of_shared
        on
            known.workspace = recognitions_of_shared.workspace
            and known.anonymous_id = recognitions_of_shared.anonymous_id
            and known.first_seen_at >= recognitions_of_shared.first_seen_at
)

select
    supposed.*,
    case
        when
            supposed.person is not null
            and (supposed.is_certain or coalesce(list_has_any(supposed.em, emails_of_people.em), true))
            then 'person ' || supposed.person
        when supposed.person is null then 'device ' || supposed.anonymous_id
    end as subject
from supposed
left join emails_of_people using (workspace, person);

-- Without a user id, another e-mail address is another person: only the newest one's values stand together.
create or replace temp table profiles as
with newest_email as (
    select
        workspace,
        subject,
        arg_max(em, age_rank) as em
    from attributed
    where em is not null and subject is not null
    group by all
),

of_one_person as (
    select attributed.*
    from attributed
    left join newest_email using (workspace, subject)
    where
        attributed.subject is not null
        and (attributed.person is not null or coalesce(list_has_any(attributed.em, newest_email.em), true))
)

select
    workspace,
    subject,
    row_number() over (order by workspace, subject) as profile,
    list_distinct(flatten(list(em))) as all_em,
    {
        'em': arg_max(em, age_rank) filter (where em is not null),
        'ph': arg_max(ph, age_rank) filter (where ph is not null),
        'fn': arg_max(fn, age_rank) filter (where fn is not null),
        'ln': arg_max(ln, age_rank) filter (where ln is not null),
        'ge': arg_max(ge, age_rank) filter (where ge is not null),
        'ct': arg_max(ct, age_rank) filter (where ct is not null),
        'st': arg_max(st, age_rank) filter (where st is not null),
        'zp': arg_max(zp, age_rank) filter (where zp is not null),
        'country': arg_max(country, age_rank) filter (where country is not null),
        'first_name_v2': arg_max(first_name_v2, age_rank) filter (where first_name_v2 is not null),
        'last_name_v2': arg_max(last_name_v2, age_rank) filter (where last_name_v2 is not null),
        'city_v2': arg_max(city_v2, age_rank) filter (where city_v2 is not null),
        'external_id': arg_max(external_id, age_rank) filter (where external_id is not null),
        'sc_cookie1': arg_max(sc_cookie1, age_rank) filter (where sc_cookie1 is not null)
    } as linked
from of_one_person
group by workspace, subject;

-- The click ids of each subject; one is worth as much as its age allows.
create or replace temp table clicks as
select
    attributed.workspace,
    attributed.subject,
    clicked.click.clicked_at as clicked_at,
    max(clicked.click.click_id) as click_id
from attributed, unnest(attributed.clicks) as clicked (click)
where attributed.subject is not null
group by all;

-- What each subject chose of consent, and when: a device that repeats its choice has not chosen again.
create or replace temp table choices as
with said as (
    select
        attributed.workspace,
        attributed.anonymous_id,
        attributed.subject,
        stated.choice.state as state,
        stated.choice.said_at as said_at,
        attributed.age_rank
    from attributed, unnest(attributed.choices) as stated (choice)
    where attributed.subject is not null
),

chosen as (
    select *
    from said
    qualify
        state is distinct from lag(state) over (
            partition by workspace, anonymous_id, subject
            order by said_at, age_rank, state
        )
)

select
    workspace,
    subject,
    said_at,
    -- Of several choices of one moment the strictest.
    arg_min(state, case state when 'denied' then 0 when 'limited' then 1 else 2 end) as state
from chosen
group by all;

create or replace temp table linked_events as
with recognized as (
    select
        askers.file_row_number,
        askers.workspace,
        askers.event_time,
        askers.emails,
        coalesce(
            canonical.person,
            askers.own_person,
            case when owners.is_shared then recognitions_of_shared.person else owners.person end
        ) as person,
        askers.anonymous_id
    from askers
    left join canonical on askers.workspace = canonical.workspace and askers.own_person = canonical.alias
    left join owners on askers.workspace = owners.workspace and askers.anonymous_id = owners.anonymous_id
    asof left join recognitions_of_shared
        on
            askers.workspace = recognitions_of_shared.workspace
            and askers.anonymous_id = recognitions_of_shared.anonymous_id
            and askers.event_time >= recognitions_of_shared.first_seen_at
),

subjects as (
    select
        *,
        coalesce('person ' || person, 'device ' || anonymous_id) as subject
    from recognized
),

profiled as (
    select
        subjects.*,
        profiles.profile,
        -- An event that names another e-mail address is another person's.
        subjects.emails is not null
        and not coalesce(list_has_any(hashed_emails(subjects.emails), profiles.all_em), true) as is_anothers
    from subjects
    left join profiles using (workspace, subject)
),

clicked as (
    select
        profiled.*,
        clicks.click_id,
        clicks.clicked_at
    from profiled
    asof left join clicks
        on
            profiled.workspace = clicks.workspace
            and profiled.subject = clicks.subject
            and profiled.event_time > clicks.clicked_at
)

select
    clicked.file_row_number,
    case when not clicked.is_anothers then clicked.profile end as profile,
    case
        when
            not clicked.is_anothers
            and clicked.event_time - clicked.clicked_at <= workspaces.click_window_days * interval 1 day
            then clicked.click_id
    end as linked_click_id,
    choices.state as linked_consent
from clicked
inner join workspaces on clicked.workspace = workspaces.name
asof left join choices
    on
        clicked.workspace = choices.workspace
        and clicked.subject = choices.subject
        and clicked.event_time >= choices.said_at
where clicked.profile is not null
