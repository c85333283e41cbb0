-- Identity resolution, step 3: for each event of the hour, its person's profile, the last click before it and the
-- consent that was in force. Reads `profiles`, `workspaces` and the tables of `known_devices.sql`; makes
-- `linked_events`, a row for each of `hour_events`.

-- Clicks and choices of consent, with their times and the subject (person, or device) that each belongs to.
create or replace temp table timed_signals as
with signals as (
    select
        device_number,
        person_number,
        file_index,
        file_row_number,
        'click' as kind,
        unnest(string_split(clicks, chr(31))) as signal
    from candidate_links
    where clicks is not null
    union all
    select
        device_number,
        person_number,
        file_index,
        file_row_number,
        'choice' as kind,
        unnest(string_split(choices, chr(31))) as signal
    from candidate_links
    where choices is not null
),

parsed_signals as (
    select
        * exclude (signal),
        signal_time(signal) as signalled_at,
        signal_text(signal) as content
    from signals
)

select
    parsed_signals.* exclude (person_number),
    subject_of(
        coalesce(resolved_aliases.person_number, parsed_signals.person_number),
        devices,
        shared_device_recognitions.person_number
    ) as subject
from parsed_signals
inner join devices on parsed_signals.device_number = devices.device_number
left join resolved_aliases on parsed_signals.person_number = resolved_aliases.alias_number
asof left join shared_device_recognitions
    on
        parsed_signals.device_number = shared_device_recognitions.device_number
        and parsed_signals.signalled_at >= shared_device_recognitions.first_seen_at;

create or replace temp table clicks as
select
    subject,
    signalled_at as clicked_at,
    max(content) as click_id
from timed_signals
where kind = 'click'
group by all;

-- The consent of each subject over time. A device that repeats its choice has not made a new one.
create or replace temp table choices as
with first_owners as (
    select
        device_number,
        arg_min(person_number, first_seen_at) as person_number
    from shared_device_recognitions
    group by device_number
),

-- The first person to log in on a device is taken to have answered its banner before, even if others log in later.
consent_signals as (
    from timed_signals
    where kind = 'choice'
    union all
    select timed_signals.* replace (first_owners.person_number as subject)
    from timed_signals
    inner join first_owners on timed_signals.subject = first_owners.device_number
    where timed_signals.kind = 'choice'
),

consent_changes as (
    from consent_signals
    qualify
        content is distinct from lag(content) over (
            partition by device_number, subject
            order by signalled_at, file_index, file_row_number, content
        )
)

select
    subject,
    signalled_at,
    -- Of several choices at the same moment, the strictest.
    arg_min(content, case content when 'denied' then 0 when 'limited' then 1 else 2 end) as state
from consent_changes
group by all;

create or replace temp table linked_events as
with attributed_events as (
    select
        hour_events.*,
        coalesce(
            subject_of(
                coalesce(resolved_aliases.person_number, hour_events.own_person_number),
                devices,
                shared_device_recognitions.person_number
            ),
            hour_events.device_number
        ) as subject
    from hour_events
    left join resolved_aliases on hour_events.own_person_number = resolved_aliases.alias_number
    left join devices on hour_events.device_number = devices.device_number
    asof left join shared_device_recognitions
        on
            hour_events.device_number = shared_device_recognitions.device_number
            and hour_events.event_time >= shared_device_recognitions.first_seen_at
),

profiled_events as (
    select
        attributed_events.*,
        profiles.subject as profile,
        -- An event with another e-mail address belongs to another person.
        attributed_events.emails is not null
        and not coalesce(list_has_any(hashed_emails(attributed_events.emails), profiles.emails), true)
            as is_of_another_person
    from attributed_events
    left join profiles using (subject)
)

select
    profiled_events.file_row_number,
    profiled_events.subject as subject_number,
    case when not profiled_events.is_of_another_person then profiled_events.profile end as profile,
    case
        when
            not profiled_events.is_of_another_person
            and profiled_events.event_time - clicks.clicked_at <= workspaces.click_window_days * interval 1 day
            then clicks.click_id
    end as linked_click_id,
    choices.state as linked_consent,
    profiled_events.is_of_crowd
from profiled_events
inner join workspaces on profiled_events.workspace = workspaces.name
asof left join clicks on profiled_events.subject = clicks.subject and profiled_events.event_time > clicks.clicked_at
asof left join
    choices
    on profiled_events.subject = choices.subject and profiled_events.event_time >= choices.signalled_at
