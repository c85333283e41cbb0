-- Identity resolution, step 2: the profile of each person, and of each device where nobody was recognized: the newest
-- value of each kind. Reads `links` and the tables of `known_devices.sql`; makes `profiles`.

-- The key of the link with the newest value of each kind, by subject and e-mail address.
create or replace temp table newest_by_emails as
with shared_device_links as (
    -- Values given on a shared device without a user id belong to the person that it had recognized last. If another
    -- hour's files show that it recognized somebody else meanwhile, they belong to nobody.
    select
        candidate_links.file_index,
        candidate_links.file_row_number,
        before.person_number
    from candidate_links
    inner join devices on candidate_links.device_number = devices.device_number
    asof left join shared_device_recognitions as before
        on
            candidate_links.device_number = before.device_number
            and candidate_links.first_seen_at >= before.first_seen_at
    asof left join shared_device_recognitions as after
        on candidate_links.device_number = after.device_number and candidate_links.last_seen_at >= after.first_seen_at
    where
        devices.is_shared
        and candidate_links.person_number is null
        and before.first_seen_at is not distinct from after.first_seen_at
),

identifying_links as (
    select
        subject_of(
            coalesce(resolved_aliases.person_number, candidate_links.person_number),
            devices,
            shared_device_links.person_number
        ) as subject,
        candidate_links.person_number is not null as is_logged_in,
        candidate_links.emails_number,
        candidate_links.kinds,
        link_key(candidate_links.file_index, candidate_links.file_row_number, candidate_links.last_seen_at) as link_key
    from candidate_links
    inner join devices on candidate_links.device_number = devices.device_number
    left join resolved_aliases on candidate_links.person_number = resolved_aliases.alias_number
    left join shared_device_links
        on
            candidate_links.file_index = shared_device_links.file_index
            and candidate_links.file_row_number = shared_device_links.file_row_number
    where
        (candidate_links.kinds != 0 or candidate_links.emails_number is not null)
        and (
            candidate_links.person_number is not null
            or not devices.is_shared
            or shared_device_links.file_index is not null
        )
)

select
    subject,
    is_logged_in,
    emails_number,
    -- [[[cog cog.outl(blocks.newest_link_keys()) ]]]
    max(link_key) filter (where emails_number is not null) as em,
    max(link_key) filter (where has_kind(kinds, 'ph')) as ph,
    max(link_key) filter (where has_kind(kinds, 'fn')) as fn,
    max(link_key) filter (where has_kind(kinds, 'ln')) as ln,
    max(link_key) filter (where has_kind(kinds, 'ge')) as ge,
    max(link_key) filter (where has_kind(kinds, 'ct')) as ct,
    max(link_key) filter (where has_kind(kinds, 'st')) as st,
    max(link_key) filter (where has_kind(kinds, 'zp')) as zp,
    max(link_key) filter (where has_kind(kinds, 'country')) as country,
    max(link_key) filter (where has_kind(kinds, 'external_id')) as external_id,
    max(link_key) filter (where has_kind(kinds, 'sc_cookie1')) as sc_cookie1
    -- [[[end]]]
from identifying_links
group by all;

-- The few links that hold these values. Joined by device alone, DuckDB skips the wide columns of all other links while
-- it reads; joined by device and row it would not. So `is true` keeps the rows' comparison out of the join's keys.
create or replace temp table profile_values as
with link_keys as (
    select distinct
        unnest([
            -- [[[cog cog.outl(blocks.wide_kinds()) ]]]
            em, ph, fn, ln, ge, ct, st, zp, country, external_id
            -- [[[end]]]
        ]) as link_key
    from newest_by_emails
),

needed_links as (
    select
        link_keys.link_key,
        candidate_links.device_number,
        candidate_links.file_index,
        candidate_links.file_row_number
    from link_keys
    inner join candidate_links
        on
            candidate_links.file_index = file_index_of(link_keys.link_key)
            and candidate_links.file_row_number = file_row_number_of(link_keys.link_key)
)

select
    needed_links.link_key,
    -- [[[cog cog.outl(blocks.wide_values()) ]]]
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
    links.first_name_v2,
    links.last_name_v2,
    links.city_v2
    -- [[[end]]]
from links
inner join needed_links
    on
        links.device_number = needed_links.device_number
        and (
            links.file_index = needed_links.file_index and links.file_row_number = needed_links.file_row_number
        ) is true
where
    links.file_index in (
        select needed_rows.file_index
        from needed_links as needed_rows
    );

create or replace temp table newest_keys as
with values_by_emails as (
    select
        newest_by_emails.*,
        string_split(profile_values.em, ',') as emails
    from newest_by_emails
    left join profile_values on newest_by_emails.em = profile_values.link_key
),

login_emails as (
    select
        subject,
        flatten(list(emails)) as emails
    from values_by_emails
    where is_logged_in and emails is not null
    group by all
),

newest_device_emails as (
    select
        subject,
        arg_max(emails, em) as emails
    from values_by_emails
    where not is_logged_in and emails is not null
    group by all
),

-- Without a user id, another e-mail address is another person: a person's addresses are those of their log-ins, a
-- device's are the newest.
same_person_values as (
    select values_by_emails.*
    from values_by_emails
    left join login_emails using (subject)
    left join newest_device_emails using (subject)
    where
        is_logged_in
        or values_by_emails.emails is null
        or coalesce(
            list_has_any(values_by_emails.emails, coalesce(login_emails.emails, newest_device_emails.emails)), true
        )
)

select
    subject,
    flatten(list(emails)) as emails,
    -- [[[cog cog.outl(blocks.newest_keys()) ]]]
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
    -- [[[end]]]
from same_person_values
group by subject;

-- Read apart from the others: the newest cookie is mostly of this hour, so that no other hour's files are read.
create or replace temp table cookie_values as
with link_keys as (
    select distinct sc_cookie1 as link_key
    from newest_keys
)

select
    link_keys.link_key,
    links.sc_cookie1
from links
inner join link_keys
    on
        links.file_index = file_index_of(link_keys.link_key)
        and links.file_row_number = file_row_number_of(link_keys.link_key);

create or replace temp table profiles as
with value_keys as (
    -- One row for each link that is needed; mostly a single link holds all values.
    select
        *,
        unnest(list_distinct([
            -- [[[cog cog.outl(blocks.wide_kinds()) ]]]
            em, ph, fn, ln, ge, ct, st, zp, country, external_id
            -- [[[end]]]
        ])) as link_key
    from newest_keys
),

resolved_values as (
    select
        value_keys.subject,
        -- [[[cog cog.outl(blocks.resolved_values()) ]]]
        any_value(coalesce(profile_values.first_name_v2, profile_values.fn)) filter (where link_key = value_keys.fn)
            as first_name_v2,
        any_value(coalesce(profile_values.last_name_v2, profile_values.ln)) filter (where link_key = value_keys.ln)
            as last_name_v2,
        any_value(coalesce(profile_values.city_v2, profile_values.ct)) filter (where link_key = value_keys.ct)
            as city_v2,
        any_value(profile_values.em) filter (where link_key = value_keys.em) as em,
        any_value(profile_values.ph) filter (where link_key = value_keys.ph) as ph,
        any_value(profile_values.fn) filter (where link_key = value_keys.fn) as fn,
        any_value(profile_values.ln) filter (where link_key = value_keys.ln) as ln,
        any_value(profile_values.ge) filter (where link_key = value_keys.ge) as ge,
        any_value(profile_values.ct) filter (where link_key = value_keys.ct) as ct,
        any_value(profile_values.st) filter (where link_key = value_keys.st) as st,
        any_value(profile_values.zp) filter (where link_key = value_keys.zp) as zp,
        any_value(profile_values.country) filter (where link_key = value_keys.country) as country,
        any_value(profile_values.external_id) filter (where link_key = value_keys.external_id) as external_id
        -- [[[end]]]
    from value_keys
    inner join profile_values using (link_key)
    group by value_keys.subject
)

select
    newest_keys.subject,
    newest_keys.emails,
    {
        -- [[[cog cog.outl(blocks.profile()) ]]]
        'em': string_split(resolved_values.em, ','),
        'ph': string_split(resolved_values.ph, ','),
        'fn': resolved_values.fn,
        'ln': resolved_values.ln,
        'ge': resolved_values.ge,
        'ct': resolved_values.ct,
        'st': resolved_values.st,
        'zp': resolved_values.zp,
        'country': resolved_values.country,
        'external_id': string_split(resolved_values.external_id, chr(31)),
        'sc_cookie1': cookie_values.sc_cookie1,
        'first_name_v2': resolved_values.first_name_v2,
        'last_name_v2': resolved_values.last_name_v2,
        'city_v2': resolved_values.city_v2
        -- [[[end]]]
    } as linked
from newest_keys
left join resolved_values on newest_keys.subject = resolved_values.subject
left join cookie_values on newest_keys.sc_cookie1 = cookie_values.link_key;
