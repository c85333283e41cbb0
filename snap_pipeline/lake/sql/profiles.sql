-- What is known of each person, and of each device that nobody was recognized at: the newest value of each kind. Reads
-- `links` and what `known_devices.sql` made; makes `profiles`.

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

-- The few links in which these values stand. Where they are joined by their device alone, DuckDB passes over the wide
-- columns of others as it reads; by device and row it would not. So the rows are compared in a condition of no join.
create or replace temp table given as
with places as (
    select distinct unnest([em, ph, fn, ln, ge, ct, st, zp, country, external_id]) as place
    from newest_by_emails
),

wanted as (
    select
        places.place,
        known.device_number,
        known.file_index,
        known.file_row_number
    from places
    inner join known
        on
            known.file_index = file_index_of(places.place)
            and known.file_row_number = file_row_number_of(places.place)
)

select
    wanted.place,
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
from links
inner join wanted
    on
        links.device_number = wanted.device_number
        and (links.file_index = wanted.file_index and links.file_row_number = wanted.file_row_number) is true
where
    links.file_index in (
        select wanted_rows.file_index
        from wanted as wanted_rows
    );

create or replace temp table newest as
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
)

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
group by subject;

-- The newest cookie is most often of this hour, and then those of no other hour are read.
create or replace temp table given_cookies as
with places as (
    select distinct sc_cookie1 as place
    from newest
)

select
    places.place,
    links.sc_cookie1
from links
inner join places
    on
        links.file_index = file_index_of(places.place)
        and links.file_row_number = file_row_number_of(places.place);

create or replace temp table profiles as
with with_places as (
    -- Most often all of it stands in one link.
    select
        *,
        unnest(list_distinct([em, ph, fn, ln, ge, ct, st, zp, country, external_id])) as place
    from newest
),

given_values as (
    select
        newest.subject,
        any_value(given.em) filter (where place = newest.em) as em,
        any_value(given.ph) filter (where place = newest.ph) as ph,
        any_value(given.fn) filter (where place = newest.fn) as fn,
        any_value(given.ln) filter (where place = newest.ln) as ln,
        any_value(given.ge) filter (where place = newest.ge) as ge,
        any_value(given.ct) filter (where place = newest.ct) as ct,
        any_value(given.st) filter (where place = newest.st) as st,
        any_value(given.zp) filter (where place = newest.zp) as zp,
        any_value(given.country) filter (where place = newest.country) as country,
        any_value(given.external_id) filter (where place = newest.external_id) as external_id,
        any_value(coalesce(given.first_name_v2, given.fn)) filter (where place = newest.fn) as first_name_v2,
        any_value(coalesce(given.last_name_v2, given.ln)) filter (where place = newest.ln) as last_name_v2,
        any_value(coalesce(given.city_v2, given.ct)) filter (where place = newest.ct) as city_v2
    from with_places as newest
    inner join given using (place)
    group by newest.subject
)

select
    newest.subject,
    newest.emails,
    {
        'em': string_split(given_values.em, ','),
        'ph': string_split(given_values.ph, ','),
        'fn': given_values.fn,
        'ln': given_values.ln,
        'ge': given_values.ge,
        'ct': given_values.ct,
        'st': given_values.st,
        'zp': given_values.zp,
        'country': given_values.country,
        'external_id': string_split(given_values.external_id, chr(31)),
        'sc_cookie1': given_cookies.sc_cookie1,
        'first_name_v2': given_values.first_name_v2,
        'last_name_v2': given_values.last_name_v2,
        'city_v2': given_values.city_v2
    } as linked
from newest
left join given_values on newest.subject = given_values.subject
left join given_cookies on newest.sc_cookie1 = given_cookies.place;
