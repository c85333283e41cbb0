-- What the links of the trailing window say of the hour's events: the click before it and the consent of whoever it is
-- of, and which of `profiles` is theirs. Reads `profiles`, `workspaces` and what `known_devices.sql` made; makes
-- `linked_events`, a row for each event of which anything may be known.

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
